import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnsettled, nextPause } from "../../web/scripts/audit-watch.js";
import { describeAudit } from "../../web/scripts/audit-words.js";

const LOGGED = Date.UTC(2026, 10, 23, 12);
const chip = (audit, age = 1_000) => describeAudit({ audit, logged_at: LOGGED }, LOGGED + age);

test("only a sent mail is called sent", () => {
  assert.match(chip({ state: "sent", sent_at: LOGGED }).text, /^Sent \d/);
  for (const audit of [undefined, { state: "queued" }, { state: "sending" }, { state: "failed" }]) {
    assert.doesNotMatch(chip(audit).text, /sent/i);
    assert.ok(isUnsettled({ audit }));
  }
  assert.equal(isUnsettled({ audit: { state: "sent" } }), false);
});

test("a mail that takes long is marked, and an error can be read", () => {
  assert.deepEqual([chip({ state: "queued" }).tone, chip({ state: "queued" }, 121_000).tone], ["wait", "warn"]);
  assert.match(chip({ state: "queued" }, 121_000).text, /late/);
  assert.deepEqual(chip({ state: "failed", last_error: { message: "delegation revoked" } }), {
    text: "Failed", tone: "bad", title: "delegation revoked",
  });
});

test("looking starts quickly and slows down to twice a minute", () => {
  let pause = 0;
  const pauses = Array.from({ length: 12 }, () => (pause = nextPause(pause)));
  assert.equal(pauses[0], 1_000);
  assert.ok(pauses.every((ms, index) => index === 0 || ms >= pauses[index - 1]));
  assert.equal(pauses.at(-1), 30_000);
});
