import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnsettled, nextPause } from "../../../web/scripts/entries/audit-watch.js";
import { auditTrail, explainFailure } from "../../../web/scripts/entries/audit-trail.js";
import { describeAudit } from "../../../web/scripts/entries/audit-words.js";

const LOGGED = Date.UTC(2026, 10, 23, 12);
const chip = (audit, age = 1_000) => describeAudit({ audit, logged_at: LOGGED }, LOGGED + age);

test("only a sent mail is called sent", () => {
  assert.match(chip({ state: "sent", sent_at: LOGGED }).text, /^Sent \d/);
  for (const audit of [undefined, { state: "queued" }, { state: "failed" }]) {
    assert.doesNotMatch(chip(audit).text, /sent/i);
    assert.ok(isUnsettled({ audit }));
  }
  assert.equal(isUnsettled({ audit: { state: "sent" } }), false);
});

test("a late mail is marked, and its error can be read", () => {
  assert.deepEqual([chip({ state: "queued" }).tone, chip({ state: "queued" }, 301_000).tone], ["wait", "warn"]);
  assert.match(chip({ state: "queued" }, 301_000).text, /late/);
  assert.deepEqual(chip({ state: "failed", last_error: { message: "delegation revoked" } }), {
    text: "Failed", tone: "bad", title: "delegation revoked",
  });
});

test("polling starts fast and slows down to twice a minute", () => {
  let pause = 0;
  const pauses = Array.from({ length: 12 }, () => (pause = nextPause(pause)));
  assert.equal(pauses[0], 1_000);
  assert.ok(pauses.every((ms, index) => index === 0 || ms >= pauses[index - 1]));
  assert.equal(pauses.at(-1), 30_000);
});

const trail = (audit, age = 1_000) => auditTrail({ audit, logged_at: LOGGED, logged_by: "admin@example.com", seq: 7 }, LOGGED + age);

test("the trail ends with Sent only when Gmail has the mail", () => {
  const sent = trail({ state: "sent", sent_at: LOGGED + 500, attempts: 3 });
  assert.deepEqual(sent.map(({ title }) => title), ["Logged", "Audit mail queued", "Sent"]);
  assert.match(sent[2].text, /after 3 attempts/);
  assert.equal(trail({ state: "queued", attempts: 0 }).at(-1).title, "Not sent yet");
  assert.match(trail({ state: "queued", attempts: 0 }, 301_000).at(-1).text, /longer/);
  assert.equal(trail({ state: "failed", attempts: 1, last_error: { class: "permanent" } }).at(-1).title, "Given up");
});

test("an error is explained in plain words, with Google's own as the detail", () => {
  const error = { class: "systemic", code: "unauthorized_client", message: "Client is unauthorized", at: LOGGED + 9 };
  const tried = trail({ state: "queued", attempts: 2, last_error: error })[2];
  assert.equal(tried.title, "Tried 2 times");
  assert.equal(tried.at, LOGGED + 9);
  assert.match(tried.text, /Google denies our access/);
  assert.equal(tried.detail, "unauthorized_client: Client is unauthorized");
  assert.ok(explainFailure({ last_error: { class: "new one", message: "x" } }).text);
  assert.equal(explainFailure({ last_error: null }), null);
});
