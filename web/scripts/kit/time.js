/** Times for people: local first, UTC next to it. All instants are epoch milliseconds. */

const clock = new Intl.DateTimeFormat("en-US", {
  weekday: "short", hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
const clockUtc = new Intl.DateTimeFormat("en-US", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: "UTC",
});
const moment = new Intl.DateTimeFormat("en-US", {
  month: "short", day: "numeric", hour: "numeric", minute: "2-digit",
});
const date = new Intl.DateTimeFormat("en-US", { dateStyle: "medium" });
const full = new Intl.DateTimeFormat("en-US", {
  weekday: "short", month: "short", day: "numeric", year: "numeric",
  hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
const timeOnly = new Intl.DateTimeFormat("en-US", {
  hour: "numeric", minute: "2-digit", second: "2-digit",
});
const ago = new Intl.RelativeTimeFormat("en-US");
const longDate = new Intl.DateTimeFormat("en-US", {
  weekday: "long", month: "long", day: "numeric", year: "numeric", timeZone: "UTC",
});
const shortMonth = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: "UTC" });
const shortWeekday = new Intl.DateTimeFormat("en-US", { weekday: "short", timeZone: "UTC" });

/** @param {number} ms @returns {string} "Fri 9:42:07 PM EDT (01:42:07 UTC)" */
export function formatClock(ms) {
  return `${clock.format(ms).replace(",", "")} (${clockUtc.format(ms)} UTC)`;
}

/** @param {number} ms @returns {string} "Nov 23, 9:42 PM"; of another year "Nov 23, 2019" */
export function formatMoment(ms) {
  const isOfYear = new Date(ms).getFullYear() === new Date().getFullYear();
  return (isOfYear ? moment : date).format(ms);
}

/** @param {number} ms @returns {string} "Mon, Nov 23, 2026, 9:42:07 PM EST" */
export function formatFull(ms) {
  return full.format(ms);
}

/** @param {number} ms @returns {string} "9:42:07 PM" */
export function formatTime(ms) {
  return timeOnly.format(ms);
}

/** @param {number} ms @param {number} now @returns {string} "2 minutes ago", "3 days ago" */
export function formatAgo(ms, now) {
  const seconds = Math.max(0, Math.round((now - ms) / 1_000));
  if (seconds < 10) return "just now";
  if (seconds < 60) return ago.format(-seconds, "second");
  if (seconds < 3_600) return ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return ago.format(-Math.round(seconds / 3_600), "hour");
  return ago.format(-Math.round(seconds / 86_400), "day");
}

/** @param {number} ms @returns {string} "2026-11-24 01:42:07 UTC": the hover text of a local time */
export function formatUtc(ms) {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * The calendar day of an event, which has no time zone of its own.
 * @param {string} day "YYYY-MM-DD"
 */
export function describeDay(day) {
  const noon = Date.parse(`${day}T12:00:00Z`);
  if (Number.isNaN(noon)) return { month: "", day: "?", weekday: "", long: day };
  return {
    month: shortMonth.format(noon),
    day: String(Number(day.slice(8))),
    weekday: shortWeekday.format(noon),
    long: longDate.format(noon),
  };
}

/** @param {number} ms @returns {string} the local calendar day, "YYYY-MM-DD" */
export function localDay(ms) {
  const day = new Date(ms);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
