import assert from "node:assert/strict";
import { test } from "node:test";
import { centsOf, decimal, formatBare, formatCents, parseAmount, tidyAmount } from "../../../web/scripts/kit/money.js";

for (const [typed, cents] of [
  ["50", 5_000],
  ["50.", 5_000],
  [".5", 50],
  ["0.01", 1],
  ["1234.5", 123_450],
  ["$1,234.50", 123_450],
  [" $ 1,234,567.89 ", 123_456_789],
  ["US$20", 2_000],
  ["20 USD", 2_000],
  ["007.10", 710],
  ["１２.５０", 1_250],
  ["90071992547409.91", 9_007_199_254_740_991],
]) {
  test(`"${typed}" is ${cents} cents`, () => {
    const parsed = parseAmount(typed);
    assert.equal(parsed.ok && parsed.cents, cents);
    assert.equal(parsed.ok && parsed.amount, decimal(cents));
  });
}

for (const [typed, hint] of [
  ["", /Enter an amount/],
  ["   ", /Enter an amount/],
  ["$", /Enter an amount/],
  ["0", /above zero/],
  ["0.00", /above zero/],
  ["-5", /above zero/],
  ["(5.00)", /above zero/],
  ["1,23", /ambiguous/],
  ["1,2345", /ambiguous/],
  ["12,34.50", /ambiguous/],
  ["1.234,50", /ambiguous/],
  [",500", /ambiguous/],
  ["1.005", /two digits/],
  ["0.001", /two digits/],
  ["1,000.005", /two digits/],
  ["1e3", /not an amount/],
  ["0x10", /not an amount/],
  ["1.2.3", /not an amount/],
  ["1 000", /not an amount/],
  ["ten", /not an amount/],
  ["12⁵⁰", /not an amount/],
  ["12²", /not an amount/],
  ["12½", /not an amount/],
  ["①②", /not an amount/],
  ["€5", /not an amount/],
  [".", /not an amount|above zero/],
  ["99999999999999999999", /too large/],
]) {
  test(`"${typed}" is refused`, () => {
    const parsed = parseAmount(typed);
    assert.equal(parsed.ok, false);
    assert.match(parsed.ok ? "" : parsed.reason, hint);
  });
}

test("ten cents and twenty cents are thirty", () => {
  assert.equal(centsOf("0.10") + centsOf("0.20"), centsOf("0.30"));
});

test("amounts survive the round trip to the API", () => {
  for (const cents of [1, 9, 10, 99, 100, 101, 12_345, 10_000_000, 9_007_199_254_740_991]) {
    assert.equal(centsOf(decimal(cents)), cents);
  }
  assert.equal(centsOf("-1.05"), -105);
  assert.equal(decimal(-105), "-1.05");
});

test("an amount the API never sends is rejected, not guessed", () => {
  for (const text of ["1", "1.5", "1,000.00", "", "1.005"]) assert.throws(() => centsOf(text), RangeError);
});

test("amounts are shown in dollars, exactly", () => {
  assert.equal(formatCents(123_450), "$1,234.50");
  assert.equal(formatCents(-500), "-$5.00");
  assert.equal(formatCents(9_007_199_254_740_991), "$90,071,992,547,409.91");
  assert.equal(formatBare(123_450), "1,234.50");
});

test("amounts are tidied only when they can be read", () => {
  assert.equal(tidyAmount("$1234.5"), "1,234.50");
  assert.equal(tidyAmount("1,23"), "1,23");
});
