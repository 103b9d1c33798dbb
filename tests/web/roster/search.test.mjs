import assert from "node:assert/strict";
import { test } from "node:test";
import { exactPatron, matchRoster } from "../../../web/scripts/roster/search.js";

const ROSTER = [
  { name: "Marco Janssen", email: "marco@example.com" },
  { name: "Jane Doe", email: "jane.doe@example.com" },
  { name: "Séamus O'Brien", email: "o'brien+dock@example.com" },
  { name: "李小龍", email: "lee@example.com" },
  { name: "Łukasz Wójcik", email: "lukasz@example.com" },
  { name: "Jane Doe", email: "other.jane@example.com" },
];
const found = (query) => matchRoster(ROSTER, query).map(({ email }) => email);

test("names are found without their accents and with any apostrophe", () => {
  for (const query of ["seamus", "SÉAMUS", "o’brien", "o'br", "brien sea"]) {
    assert.deepEqual(found(query), ["o'brien+dock@example.com"], query);
  }
  assert.deepEqual(found("lukasz wojcik"), ["lukasz@example.com"]);
  assert.deepEqual(found("小龍"), ["lee@example.com"]);
});

test("e-mails are found too", () => {
  assert.deepEqual(found("dock@"), ["o'brien+dock@example.com"]);
});

test("names that begin with the query come first", () => {
  assert.deepEqual(found("jan"), ["jane.doe@example.com", "other.jane@example.com", "marco@example.com"]);
});

test("an empty query finds everyone, an unknown name finds no one", () => {
  assert.equal(found("").length, ROSTER.length);
  assert.deepEqual(found("nobody"), []);
});

test("a full e-mail or a unique name identifies its patron, a shared name does not", () => {
  assert.equal(exactPatron(ROSTER, "JANE.DOE@example.com ")?.email, "jane.doe@example.com");
  assert.equal(exactPatron(ROSTER, "seamus o'brien")?.email, "o'brien+dock@example.com");
  assert.equal(exactPatron(ROSTER, "Jane Doe"), null);
  assert.equal(exactPatron(ROSTER, ""), null);
});
