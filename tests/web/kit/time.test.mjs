import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAgo, formatClock, formatMoment } from "../../../web/scripts/kit/time.js";

test("elapsed time is shown in the largest unit that fits", () => {
  const at = (/** @type {number} */ seconds) => formatAgo(0, seconds * 1_000);
  assert.deepEqual(
    [0, 9, 30, 60, 120, 3_600, 7_200, 86_400, 259_200].map(at),
    ["just now", "just now", "30 seconds ago", "1 minute ago", "2 minutes ago", "1 hour ago", "2 hours ago",
      "1 day ago", "3 days ago"],
  );
});

test("a time in the future, from a clock that is off, still reads sensibly", () => {
  assert.equal(formatAgo(5_000, 0), "just now");
});

test("the clock line shows local time and UTC", () => {
  assert.match(formatClock(Date.UTC(2026, 10, 25, 1, 42, 7)), /\d{1,2}:42:07.*\(01:42:07 UTC\)/);
});

test("a moment of another year says which", () => {
  const year = new Date().getFullYear();
  assert.match(formatMoment(Date.parse(`${year}-06-15T12:00:00Z`)), /^Jun 1[45], \d+:00 [AP]M$/);
  assert.match(formatMoment(Date.parse("2019-06-15T12:00:00Z")), /^Jun 1[45], 2019$/);
});
