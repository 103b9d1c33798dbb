import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { pendingPayment, pendingVoid } from "../../../web/scripts/sending/pending.js";

const JANE = "jane@example.com";
const DETAILS = { eventId: "sunset-charter", eventName: "Sunset Charter", patronName: "Lee" };
/** @type {Map<string, string>} */
let kept;

beforeEach(() => {
  kept = new Map();
  globalThis.sessionStorage = {
    getItem: (slot) => kept.get(slot) ?? null,
    setItem: (slot, text) => kept.set(slot, text),
    removeItem: (slot) => kept.delete(slot),
  };
});
afterEach(() => {
  delete globalThis.sessionStorage;
});

test("a write that was sent is found again after a reload, with its key", () => {
  const pending = pendingPayment.mint(JANE, DETAILS);
  pendingPayment.keep({ ...pending, body: { amount: "5.00" }, sentAt: 7 });
  assert.deepEqual(pendingPayment.unresolved(JANE), { ...pending, body: { amount: "5.00" }, sentAt: 7 });
});

test("a write that was never sent, is settled or belongs to someone else is not found", () => {
  const pending = pendingPayment.mint(JANE, DETAILS);
  assert.equal(pendingPayment.unresolved(JANE), null);
  pendingPayment.keep({ ...pending, body: { amount: "5.00" } });
  assert.equal(pendingPayment.unresolved("lee@example.com"), null);
  pendingPayment.clear();
  assert.equal(pendingPayment.unresolved(JANE), null);
});

test("each dialog opened gets its own key, and payments and voids have separate slots", () => {
  assert.notEqual(pendingPayment.mint(JANE, DETAILS).key, pendingPayment.mint(JANE, DETAILS).key);
  pendingVoid.keep({ key: "k", user: JANE, body: { reason: "other" }, sentAt: 1, payment: { payment_id: "pay_1" } });
  assert.deepEqual([...kept.keys()], ["scc.pending-payment", "scc.pending-void"]);
});

test("a record without a sent time counts as sent long ago", () => {
  kept.set("scc.pending-void", JSON.stringify({ key: "k", user: JANE, body: { reason: "other" }, payment: {} }));
  assert.equal(pendingVoid.unresolved(JANE)?.sentAt, 0);
});

test("a device without storage can still log", () => {
  delete globalThis.sessionStorage;
  const pending = pendingPayment.mint(JANE, DETAILS);
  assert.ok(pending.key);
  pendingPayment.keep(pending);
  pendingPayment.clear();
  assert.equal(pendingPayment.unresolved(JANE), null);
});
