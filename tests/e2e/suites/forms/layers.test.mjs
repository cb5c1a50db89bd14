// Event layers: code around every event of a namespace.
import assert from "node:assert/strict";
import { ask } from "../../helpers/client.mjs";
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "layer::RateLimit": "what is too much is refused, for each socket",
  "layer::from_fn": "a layer of one's own",
};

forms(FORMS, {
  "what is too much is refused, for each socket": async ({ open }) => {
    const socket = await open("/layered");
    await answers(socket, [
      [["scarce"], [{ ok: true, data: 1 }]],
      [["scarce"], [{ ok: true, data: 1 }]],
    ]);
    const [refused] = await ask(socket, "scarce");
    assert.equal(refused.ok, false);
    assert.equal(refused.error.kind, "rateLimited");
    assert.equal(refused.error.event, "scarce");
    assert.ok(refused.error.retryAfterMs > 0 && refused.error.retryAfterMs <= 3_600_000);
    await answers(socket, [[["plain", 1], [1]]]);
    await answers(await open("/layered"), [[["scarce"], [{ ok: true, data: 1 }]]]);
  },

  "a layer of one's own": async ({ open }) => {
    const socket = await open("/layered");
    await answers(socket, [
      [["guarded", "fine"], [{ ok: true, data: "fine" }]],
      [["guarded", "forbidden"], [{ ok: false, error: "not you" }]],
    ]);
    // An answer that cannot say no is none.
    await unanswered(socket, [["plain", "forbidden"]], ["plain", 1]);
    const [refused] = await ask(socket, "scarce", "forbidden");
    assert.equal(refused.error.code, "forbidden");
  },
});
