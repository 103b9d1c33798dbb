import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { OutcomeUnknownError, ProblemError } from "../../../web/scripts/server/api-fetch.js";
import { SETTLED_MS, findFate, submit as submitWrite } from "../../../web/scripts/sending/submission.js";

const PAYMENT = { payment_id: "pay_1" };

/**
 * @param {unknown[]} answers errors are thrown, the rest is returned
 * @param {{timestamp: number}} [body]
 */
async function submit(answers, body = { timestamp: 1 }) {
  const sent = [];
  const waits = [];
  const outcome = await submitWrite(body, "key", {
    async post(payload, key) {
      sent.push({ key, timestamp: payload.timestamp });
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: async (ms) => waits.push(ms),
    now: () => 99,
  });
  return { outcome, sent, waits };
}

const busy = () => new ProblemError(409, { code: "contention" }, 1_000);

test("a new payment is saved, a replayed one is reported as such", async () => {
  const { outcome } = await submit([{ payment: PAYMENT, replayed: true }]);
  assert.deepEqual(outcome, { kind: "saved", answer: { payment: PAYMENT, replayed: true } });
});

test("a busy ledger is retried with the same key after the pause it asked for", async () => {
  const { outcome, sent, waits } = await submit([busy(), busy(), { payment: PAYMENT, replayed: false }]);
  assert.equal(outcome.kind, "saved");
  assert.deepEqual(sent.map(({ key }) => key), ["key", "key", "key"]);
  assert.ok(waits.every((ms) => ms >= 1_000 && ms <= 1_250), String(waits));
});

test("a ledger that stays busy ends the attempt", async () => {
  const { outcome, sent } = await submit(Array.from({ length: 50 }, busy));
  assert.equal(outcome.kind, "busy");
  assert.ok(sent.length < 20);
});

test("a busy server is asked again with the same key after the pause it asked for", async () => {
  const putOff = new OutcomeUnknownError("busy", 2_000);
  const { outcome, sent, waits } = await submit([putOff, putOff, { payment: PAYMENT, replayed: false }]);
  assert.equal(outcome.kind, "saved");
  assert.deepEqual(sent.map(({ key }) => key), ["key", "key", "key"]);
  assert.ok(waits.every((ms) => ms >= 2_000 && ms <= 2_250), String(waits));
});

test("a server that stays busy leaves the outcome unknown: an attempt may have been written", async () => {
  const { outcome, sent } = await submit(Array.from({ length: 50 }, () => new OutcomeUnknownError("busy", 2_000)));
  assert.deepEqual(outcome, { kind: "unknown", message: "The server is busy." });
  assert.ok(sent.length < 20);
});

for (const reason of ["offline", "timeout", "server"]) {
  test(`after "${reason}" the outcome is unknown, and nothing is sent again unasked`, async () => {
    const { outcome, sent } = await submit([new OutcomeUnknownError(reason)]);
    assert.equal(outcome.kind, "unknown");
    assert.equal(sent.length, 1);
  });
}

test("an ended session asks for a new one", async () => {
  const { outcome } = await submit([new ProblemError(401, {}, null)]);
  assert.equal(outcome.kind, "signed-out");
});

test("a possible duplicate shows the earlier entries, and is not mistaken for a busy ledger", async () => {
  const { outcome } = await submit([
    new ProblemError(409, { code: "possible_duplicate", payments: [PAYMENT] }, 1_000),
  ]);
  assert.deepEqual(outcome, { kind: "duplicate", entries: [PAYMENT] });
});

test("a refusal carries the fields", async () => {
  const errors = [{ field: "amount", code: "amount_invalid", message: "too much" }];
  const { outcome } = await submit([new ProblemError(422, { detail: "no", errors }, null)]);
  assert.deepEqual(outcome, { kind: "refused", status: 422, fields: errors, message: "no" });
});

test("a wrong device clock is corrected once, by the server's", async () => {
  const wrong = () => new ProblemError(422, { errors: [{ field: "timestamp", code: "x", message: "ahead" }] }, null);
  const corrected = await submit([wrong(), { payment: PAYMENT, replayed: false }]);
  assert.deepEqual(corrected.sent.map(({ timestamp }) => timestamp), [1, 99]);
  assert.equal(corrected.outcome.kind, "saved");
  assert.equal((await submit([wrong(), wrong()])).outcome.kind, "refused");
});

for (const [what, error] of /** @type {[string, ProblemError][]} */ ([
  ["that is not from our API", new ProblemError(403, {}, null)],
  ["with an unreadable field", new ProblemError(422, { code: "invalid_fields", errors: [null] }, null)],
  ["with a field without words", new ProblemError(422, { code: "invalid_fields", errors: [{ field: "amount" }] }, null)],
])) {
  test(`a refusal ${what} proves nothing`, async () => {
    assert.equal((await submit([error])).outcome.kind, "unknown");
    assert.equal((await ask([error])).fate.kind, "unknown");
  });
}

test("a 404 that is not from our API does not mean that nothing was saved", async () => {
  const { fate } = await ask([new ProblemError(404, {}, null)], 1_000 - SETTLED_MS);
  assert.equal(fate.kind, "unknown");
});

test("our own bugs leave the outcome unknown, and are not hidden", async () => {
  const bug = new TypeError("bug");
  const { mock: told } = mock.method(console, "error", () => {});
  const unknown = { kind: "unknown", message: "The server’s answer could not be understood." };
  assert.deepEqual((await submit([bug])).outcome, unknown);
  assert.deepEqual((await ask([bug])).fate, unknown);
  assert.deepEqual(told.calls.map(({ arguments: [first] }) => first), [bug, bug]);
  mock.restoreAll();
});

/** @param {unknown[]} answers errors are thrown, the rest is returned; the last one stays @param {number} [sentAt] */
async function ask(answers, sentAt = 0, options = {}) {
  let now = 1_000;
  let undecided = 0;
  let asked = 0;
  const fate = await findFate("key", sentAt, {
    async lookUp(key) {
      assert.equal(key, "key");
      asked += 1;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: async (ms) => {
      now += ms;
    },
    now: () => now,
    undecided: () => {
      undecided += 1;
    },
    ...options,
  });
  return { fate, asked, undecided, waited: now - 1_000 };
}

const missing = () => new ProblemError(404, { code: "not_found" }, null);

test("a payment found by its key is saved, without a message about searching", async () => {
  const { fate, undecided } = await ask([PAYMENT]);
  assert.deepEqual(fate, { kind: "saved", answer: PAYMENT });
  assert.equal(undecided, 0);
});

test("a payment that was sent long ago and is not there was not saved", async () => {
  const { fate, asked } = await ask([missing()], 1_000 - SETTLED_MS);
  assert.deepEqual([fate.kind, asked], ["not-saved", 1]);
});

test("a missing payment is not final while the server may still be working on it", async () => {
  const late = await ask([missing(), missing(), PAYMENT], 1_000);
  assert.equal(late.fate.kind, "saved");
  assert.equal(late.undecided, 1);
  const never = await ask([missing()], 1_000);
  assert.equal(never.fate.kind, "not-saved");
  assert.ok(never.waited >= SETTLED_MS, String(never.waited));
});

test("a device clock that was set back does not make anyone wait forever", async () => {
  const { fate, waited } = await ask([missing()], 1_000_000_000);
  assert.equal(fate.kind, "not-saved");
  assert.ok(waited < 2 * SETTLED_MS, String(waited));
});

test("a server that cannot answer leaves the outcome unknown", async () => {
  assert.deepEqual((await ask([new OutcomeUnknownError("offline")])).fate, {
    kind: "unknown", message: "The server could not be reached.",
  });
  assert.equal((await ask([new ProblemError(403, { detail: "no" }, null)])).fate.kind, "unknown");
});

test("the search ends once a retry takes over", async () => {
  const over = new AbortController();
  const { asked } = await ask([missing()], 1_000, { signal: over.signal, undecided: () => over.abort() });
  assert.equal(asked, 1);
});
