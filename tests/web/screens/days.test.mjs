import assert from "node:assert/strict";
import { test } from "node:test";
import { dayIn, monthBack, zoneWords } from "../../../web/scripts/screens/days.js";

test("an evening at the office is not tomorrow, wherever the browser is", () => {
  const late = Date.UTC(2026, 10, 1, 2); // 10 PM on October 31 in New York
  assert.equal(dayIn(late, "America/New_York"), "2026-10-31");
  assert.equal(dayIn(late, "UTC"), "2026-11-01");
  assert.equal(dayIn(late, "Asia/Tokyo"), "2026-11-01");
});

test("this month ends today, last month on its own last day", () => {
  assert.deepEqual(monthBack("2026-10-31", 0), ["2026-10-01", "2026-10-31"]);
  assert.deepEqual(monthBack("2026-10-31", 1), ["2026-09-01", "2026-09-30"]);
  assert.deepEqual(monthBack("2026-01-05", 1), ["2025-12-01", "2025-12-31"]);
  assert.deepEqual(monthBack("2028-03-31", 1), ["2028-02-01", "2028-02-29"]);
});

test("a zone is named as people say it", () => {
  assert.equal(zoneWords("America/New_York"), "New York time");
  assert.equal(zoneWords("UTC"), "UTC");
});
