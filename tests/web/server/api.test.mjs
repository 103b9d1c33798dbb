import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, mock, test } from "node:test";
import { OutcomeUnknownError, ProblemError, apiFetch, serverNow } from "../../../web/scripts/server/api-fetch.js";
import { getPayment, getPaymentByKey, listPayments, logPayment, voidPayment } from "../../../web/scripts/server/api.js";

afterEach(() => mock.restoreAll());

const PAYMENT = { payment_id: "pay_1", seq: 1, amount_cents: 500, logged_at: 7 };

/** @param {Response | Error} answer */
function answering(answer) {
  return mock.method(globalThis, "fetch", async () => {
    if (answer instanceof Error) throw answer;
    return answer;
  });
}

/** @param {unknown} body @param {ResponseInit} [init] */
function json(body, init) {
  return new Response(JSON.stringify(body), init);
}

test("a body is sent with the sha256 of its exact bytes and its key", async () => {
  const fetched = answering(json({ payment: PAYMENT }, { headers: { "idempotent-replayed": "true" } }));
  const { replayed } = await logPayment({ note: "Séamus ⚓" }, "a-key");
  const [address, request] = fetched.mock.calls[0].arguments;
  assert.equal(address, "/api/payments");
  assert.equal(request.headers["x-amz-content-sha256"], createHash("sha256").update(request.body).digest("hex"));
  assert.equal(new TextDecoder().decode(request.body), '{"note":"Séamus ⚓"}');
  assert.equal(request.headers["idempotency-key"], "a-key");
  assert.equal(request.credentials, "same-origin");
  assert.equal(replayed, true);
});

test("a call without a body has the sha256 of nothing", async () => {
  const fetched = answering(new Response(null, { status: 204 }));
  await apiFetch("/api/session", { method: "DELETE" });
  const [, request] = fetched.mock.calls[0].arguments;
  assert.equal(request.headers["x-amz-content-sha256"], createHash("sha256").digest("hex"));
  assert.equal(request.body, undefined);
});

test("names in an address are escaped, absent parameters left out", async () => {
  const fetched = answering(json({ payments: [], cursor: null }));
  await listPayments("a&b", { cursor: null, limit: 5 });
  assert.equal(fetched.mock.calls[0].arguments[0], "/api/payments?event_id=a%26b&limit=5");
});

test("problem+json becomes an error with its fields", async () => {
  const errors = [{ field: "amount", code: "amount_invalid", message: "too much" }];
  answering(json({ title: "T", detail: "D", code: "invalid_fields", errors }, { status: 422, headers: { "retry-after": "2" } }));
  await assert.rejects(apiFetch("/x"), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.message, error.code, error.fields, error.retryAfterMs], [422, "D", "invalid_fields", errors, 2_000]);
    return true;
  });
});

test("a refusal that is not JSON is still a refusal", async () => {
  answering(new Response("<html>", { status: 403 }));
  await assert.rejects(apiFetch("/x"), (error) => error instanceof ProblemError && error.status === 403);
});

for (const [what, answer, reason] of [
  ["a broken connection", new TypeError("Failed to fetch"), "offline"],
  ["a 502", new Response("<html>", { status: 502 }), "server"],
  ["a success that is not JSON", new Response("<html>", { status: 200 }), "server"],
]) {
  test(`${what} leaves the outcome unknown`, async () => {
    answering(answer);
    await assert.rejects(apiFetch("/x"), (error) => error instanceof OutcomeUnknownError && error.reason === reason);
  });
}

test("a 503 says when to ask again, and leaves the outcome unknown", async () => {
  answering(json({ code: "overloaded" }, { status: 503, headers: { "retry-after": "2" } }));
  await assert.rejects(apiFetch("/x"), (error) => {
    assert.ok(error instanceof OutcomeUnknownError);
    assert.deepEqual([error.reason, error.retryAfterMs], ["busy", 2_000]);
    return true;
  });
});

for (const [what, call] of /** @type {[string, () => Promise<unknown>][]} */ ([
  ["logging", () => logPayment({}, "k")],
  ["voiding", () => voidPayment("pay_1", {}, "k")],
  ["looking up a key", () => getPaymentByKey("k")],
  ["reading a payment", () => getPayment("pay_1")],
])) {
  for (const found of [undefined, null, "saved", { ...PAYMENT, payment_id: "" }, { ...PAYMENT, logged_at: null }]) {
    test(`${what}: a 200 with ${JSON.stringify(found)} for a record is not a receipt`, async () => {
      answering(json({ payment: found, void: found }));
      await assert.rejects(call(), OutcomeUnknownError);
    });
  }
  test(`${what}: a 200 with null for a body is not a receipt`, async () => {
    answering(json(null));
    await assert.rejects(call(), OutcomeUnknownError);
  });
}

test("a void is not a receipt for a correction that cannot be read", async () => {
  answering(json({ void: PAYMENT, replacement: {} }));
  await assert.rejects(voidPayment("pay_1", {}, "k"), OutcomeUnknownError);
  answering(json({ void: PAYMENT, replacement: null }));
  assert.deepEqual(await voidPayment("pay_1", {}, "k"), { void: PAYMENT, replacement: null, replayed: false });
});

test("no answer in time leaves the outcome unknown", async () => {
  mock.method(globalThis, "fetch", (_path, { signal }) => new Promise((_resolve, reject) => {
    const stay = setInterval(() => {}, 1_000); // AbortSignal.timeout alone does not keep node running
    signal.addEventListener("abort", () => {
      clearInterval(stay);
      reject(signal.reason);
    });
  }));
  await assert.rejects(apiFetch("/x", { timeoutMs: 5 }), (error) => error instanceof OutcomeUnknownError && error.reason === "timeout");
});

test("leaving a screen aborts its calls without blaming the server", async () => {
  const left = new AbortController();
  left.abort();
  answering(left.signal.reason);
  await assert.rejects(apiFetch("/x", { signal: left.signal }), { name: "AbortError" });
});

test("the server's clock corrects a device that is minutes off", async () => {
  const ahead = new Date(Date.now() + 600_000);
  answering(json({}, { headers: { date: ahead.toUTCString() } }));
  await apiFetch("/x");
  assert.ok(Math.abs(serverNow() - ahead.getTime()) < 5_000);
  answering(json({}, { headers: { date: new Date().toUTCString() } }));
  await apiFetch("/x");
  assert.ok(Math.abs(serverNow() - Date.now()) < 50);
});
