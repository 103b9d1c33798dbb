import assert from "node:assert/strict";
import { test } from "node:test";
import { describeDuplicates, savedMessage } from "../../../web/scripts/log-payment/words.js";

const PAYMENT = {
  payment_id: "pay_1", seq: 41, amount_cents: 5_000, method: "cash", patron_name: "Jane Doe",
  logged_by: "alex@shipcaptaincrew.example", logged_at: 0,
};

test("a likely duplicate says when, what, for whom and by whom", () => {
  const { title, lines } = describeDuplicates([PAYMENT], 120_000);
  assert.equal(title, "Similar payment logged 2 minutes ago");
  assert.deepEqual(lines, ["$50.00 cash for Jane Doe by alex@shipcaptaincrew.example (#000041)"]);
});

test("several duplicates are counted, each with its own time; a check shows its number", () => {
  const check = { ...PAYMENT, method: "check", reference: "1042", seq: 42 };
  const { title, lines } = describeDuplicates([PAYMENT, check], 3_600_000);
  assert.equal(title, "2 similar payments are already logged");
  assert.match(lines[1], /\$50\.00 check 1042 for Jane Doe by .* 1 hour ago \(#000042\)/);
});

test("a saved payment shows the server's stamp; a replayed one says it was logged only once", () => {
  const saved = savedMessage(PAYMENT, false, "Fri 9:42:07 PM EDT (01:42:07 UTC)");
  assert.equal(saved.title, "Logged #000041 · $50.00 cash · Jane Doe");
  assert.match(saved.text, /9:42:07 PM EDT \(01:42:07 UTC\)/);
  assert.match(savedMessage(PAYMENT, true, "now").text, /already saved — not logged twice/i);
});
