/** The rows of a list that are stored, but not as they were written. Loads only when there are some. */

import { entryNumber } from "../entries/words.js";
import { clone, fill } from "../kit/dom.js";

/**
 * Puts a line about each of these rows above the list, and takes away the entry that it was shown as until now.
 * A row stays named until the screen is opened again: an older page may have it.
 * @param {HTMLElement} panel
 * @param {DoubtfulRow[]} rows
 * @param {Map<string, {payment: Payment, row: HTMLElement}>} shown entries by payment_id
 * @returns {number} how many rows are named
 */
export function nameDoubtfulRows(panel, rows, shown) {
  let list = panel.querySelector(".doubtful-rows");
  if (!list) panel.prepend((list = clone("doubtful-rows-template")));
  for (const row of rows) {
    const key = JSON.stringify([row.event_id, row.seq, row.payment_id]);
    const named = [...list.children].some((item) => /** @type {HTMLElement} */ (item).dataset.key === key);
    if (!named) list.append(line(row, key));
    const entry = shown.get(row.payment_id ?? "");
    if (entry?.payment.seq !== row.seq || entry?.payment.event_id !== row.event_id) continue;
    entry?.row.remove();
    shown.delete(row.payment_id ?? "");
  }
  return list.children.length;
}

/** @param {DoubtfulRow} row @param {string} key */
function line(row, key) {
  const item = clone("doubtful-row-template");
  item.dataset.key = key;
  item.title = row.problem;
  fill(item, { text: describeDoubtfulRow(row) });
  return item;
}

/** @param {DoubtfulRow} row @returns {string} */
export function describeDoubtfulRow({ seq, event_id: eventId, patron_name: name }) {
  const number = seq ? entryNumber(seq) : "An entry";
  const whose = name ? ` (${name})` : "";
  const where = eventId ? ` of ${eventId}` : "";
  return `${number}${where}${whose} is not as it was written: tell operations`;
}
