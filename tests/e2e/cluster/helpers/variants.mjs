// The settings in which servers of a cluster are proven, and what each says about itself in Redis.

export const VARIANTS = {
  redis: { ADAPTER: "redis" },
  "redis, own response channels": { ADAPTER: "redis", SPECIFIC_RESPONSE: "1" },
  "sharded, static": { ADAPTER: "sharded", SUBSCRIPTION_MODE: "static" },
  "sharded, dynamic": { ADAPTER: "sharded", SUBSCRIPTION_MODE: "dynamic" },
  "sharded, dynamic-private": { ADAPTER: "sharded", SUBSCRIPTION_MODE: "dynamic-private" },
  streams: { ADAPTER: "streams" },
  "streams with recovery": { ADAPTER: "streams", CSR: "1" },
};

/** One for each adapter, where the modes make no difference. */
export const PLAIN = {
  redis: VARIANTS.redis,
  sharded: VARIANTS["sharded, dynamic"],
  streams: VARIANTS["streams with recovery"],
};

export const prefixOf = (env) => env.PREFIX ?? "socket.io";

/** The servers of a namespace, as Redis counts them. */
export async function subscribers(redis, env, nsp) {
  const prefix = prefixOf(env);
  const channel = env.ADAPTER === "redis" ? `${prefix}-request#${nsp}#` : `${prefix}#${nsp}#`;
  const [, count] = await redis.send("PUBSUB", env.ADAPTER === "sharded" ? "SHARDNUMSUB" : "NUMSUB", channel);
  return Number(count);
}

/** The servers that listen to a channel of one room; only the dynamic modes have such channels. */
export async function roomSubscribers(redis, env, nsp, room) {
  const [, count] = await redis.send("PUBSUB", "SHARDNUMSUB", `${prefixOf(env)}#${nsp}#${room}#`);
  return Number(count);
}

/** Whether the room has a channel of its own. */
export function hasChannel(env, room, isOwn) {
  if (env.ADAPTER !== "sharded" || env.SUBSCRIPTION_MODE === "static") return false;
  return env.SUBSCRIPTION_MODE === "dynamic-private" || !isOwn;
}
