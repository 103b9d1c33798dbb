import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, looksLikeCard } from "../../../web/scripts/kit/text.js";

test("folding keeps the characters that tell people apart", () => {
  assert.notEqual(fold("李"), fold("龍"));
  assert.equal(fold(" Straße "), "strasse");
});

test("card numbers are recognized, however they are grouped", () => {
  for (const text of ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "card 5555555555554444 ok"]) {
    assert.ok(looksLikeCard(text), text);
  }
});

test("bank and phone numbers are not mistaken for card numbers", () => {
  for (const text of [
    "091000019876548", "121000358765438", "1042", "617 555 0199", "4111111111111112", "2020202020202020",
    "Checks 4014 4015 4016 4017", "Checks 1041, 1042, 1043, 1044", "415-555-0142 650-555-0199",
  ]) {
    assert.equal(looksLikeCard(text), false, text);
  }
});
