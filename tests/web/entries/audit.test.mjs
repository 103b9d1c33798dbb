import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnsettled, latestAudit, nextPause } from "../../../web/scripts/entries/audit-watch.js";
import { auditTrail, explainFailure } from "../../../web/scripts/entries/audit-trail.js";
import { describeAudit, FINDINGS } from "../../../web/scripts/entries/audit-words.js";

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

test("a mail that was seen is in the inbox, for good", () => {
  const seen = chip({ state: "sent", sent_at: LOGGED, seen_at: LOGGED + 60_000 });
  assert.deepEqual(seen, {
    text: "In the inbox", tone: "good", title: "Seen in the audit inbox at 2026-11-23 12:01:00 UTC",
  });
  assert.equal(chip({ state: "sent", sent_at: LOGGED, seen_at: null, mailbox: null }).tone, "good");
});

test("what is wrong in the inbox is said first, and who knows of it", () => {
  const findings = { missing: "Not in the inbox", duplicate: "Twice in the inbox", altered: "Altered in the inbox" };
  for (const [mailbox, text] of Object.entries(findings)) {
    for (const seenAt of [null, LOGGED]) {
      const shown = chip({ state: "sent", sent_at: LOGGED, seen_at: seenAt, mailbox });
      assert.deepEqual([shown.text, shown.tone], [text, "bad"]);
      assert.match(shown.title, /^Operations has been alerted\..* by Gmail at 2026-11-23 12:00:00 UTC$/);
      const step = trail({ state: "sent", sent_at: LOGGED, seen_at: seenAt, mailbox }).at(-1);
      assert.deepEqual([step.title, step.tone], [text, "bad"]);
      assert.match(step.text, /audit inbox.*\. Operations has been alerted\.$/);
    }
  }
  assert.deepEqual(FINDINGS, { ...findings, explained: "Gone, explained" });
});

test("a loss that operations explained is neither green nor an alarm", () => {
  const audit = { state: "sent", sent_at: LOGGED, seen_at: null, mailbox: "explained" };
  assert.deepEqual(chip(audit), {
    text: "Gone, explained", tone: "warn",
    title: "Audit mail accepted by Gmail at 2026-11-23 12:00:00 UTC",
  });
  const step = trail(audit).at(-1);
  assert.deepEqual([step.title, step.tone], ["Gone, explained", "warn"]);
  assert.match(step.text, /somebody said why\.$/);
});

test("nothing waits for the watch: a mail that was sent is settled", () => {
  for (const more of [{}, { seen_at: LOGGED }, { mailbox: "missing" }]) {
    assert.equal(isUnsettled({ audit: { state: "sent", sent_at: LOGGED, ...more } }), false);
  }
});

test("an older answer never undoes Sent, and a newer one tells of the inbox", () => {
  const [queued, sent, seen] = [{ state: "queued" }, { state: "sent" }, { state: "sent", seen_at: LOGGED }];
  const after = (before, read) => latestAudit({ audit: before }, { audit: read });
  assert.equal(after(queued, sent), sent);
  assert.equal(after(sent, queued), sent);
  assert.equal(after(sent, undefined), sent);
  assert.equal(after(sent, seen), seen);
  assert.equal(after(seen, sent), sent); // its mail was deleted, and that was explained
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

test("the trail goes on to the inbox, and says what is wrong there", () => {
  const sent = { state: "sent", sent_at: LOGGED + 500, attempts: 1 };
  const seen = trail({ ...sent, seen_at: LOGGED + 60_000 });
  assert.deepEqual(seen.map(({ title }) => title), ["Logged", "Audit mail queued", "Sent", "In the inbox"]);
  assert.deepEqual([seen[3].at, seen[3].tone], [LOGGED + 60_000, "good"]);

  const missing = trail({ ...sent, seen_at: null, mailbox: "missing" });
  assert.deepEqual(missing.slice(2).map(({ title, tone }) => [title, tone]), [["Sent", "good"], ["Not in the inbox", "bad"]]);
  assert.match(missing[3].text, /^Gmail accepted this mail, but it is not in the audit inbox/);

  const twice = trail({ ...sent, seen_at: LOGGED + 60_000, mailbox: "duplicate" });
  assert.deepEqual(twice.slice(3).map(({ title }) => title), ["In the inbox", "Twice in the inbox"]);
  assert.equal(trail({ state: "queued", attempts: 0, seen_at: LOGGED, mailbox: "missing" }).at(-1).title, "Not sent yet");
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
