/** What each patron of an event has paid so far. */

import { listPayments } from "../server/api.js";
import { totalsByPatron } from "../log-payment/form.js";

const PAGE = 100;
const MAX_PAGES = 20;

/**
 * @param {string} eventId
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, number> | null>} cents by patron e-mail; null when not all payments could be read,
 *   for without all of them there is no true total
 */
export async function readTotals(eventId, signal) {
  /** @type {import("../server/api.js").Payment[]} */
  const payments = [];
  /** @type {string | null} */
  let cursor = null;
  try {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const found = await listPayments(eventId, { limit: PAGE, cursor, signal });
      payments.push(...found.payments);
      cursor = found.cursor;
      if (!cursor) return totalsByPatron(payments);
    }
  } catch {
    // The form works without totals.
  }
  return null;
}
