// Every operation of a cluster over the adapter `redis`, in each of its settings.
import { operations, prefixes } from "../helpers/operations.mjs";

operations("redis", { slow: true });
operations("redis, own response channels");
prefixes("redis");
