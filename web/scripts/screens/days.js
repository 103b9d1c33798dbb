/** Days as the office counts them, "YYYY-MM-DD". No DOM, no clock. */

/** @param {number} ms @param {string} zone IANA name @returns {string} the calendar day there */
export function dayIn(ms, zone) {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
}

/**
 * @param {string} today
 * @param {number} back how many months; 0: this one, up to today
 * @returns {[string, string]} its first and its last day
 */
export function monthBack(today, back) {
  const [year, month] = today.split("-").map(Number);
  const day = (/** @type {number} */ ms) => new Date(ms).toISOString().slice(0, 10);
  return [day(Date.UTC(year, month - 1 - back, 1)), back ? day(Date.UTC(year, month - back, 0)) : today];
}

/** @param {string} zone IANA name @returns {string} "New York time" */
export function zoneWords(zone) {
  const city = zone.split("/").at(-1)?.replaceAll("_", " ");
  return zone.includes("/") ? `${city} time` : zone;
}
