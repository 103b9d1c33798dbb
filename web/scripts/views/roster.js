/** The people of an event, searchable. */

import { clone, fill, find, part, show } from "../dom.js";
import { formatCents } from "../money.js";
import { matchRoster } from "../roster.js";
import { formatMoment, formatUtc } from "../time.js";
import { emptyState } from "./states.js";

/** @typedef {import("../api.js").Patron} Patron */

/**
 * @param {HTMLElement} panel
 * @param {readonly Patron[]} roster
 * @param {((patron: Patron) => void) | null} takePayment null when the user may not
 */
export function createRosterPanel(panel, roster, takePayment) {
  const list = part(panel, "people");
  const search = /** @type {HTMLInputElement} */ (find(panel, "input"));
  const status = part(panel, "found");
  const rows = new Map(roster.map((patron) => [patron, createPerson(patron, takePayment)]));
  part(panel, "search").hidden = roster.length === 0;

  const update = () => {
    const found = matchRoster(roster, search.value);
    list.replaceChildren(...found.map((patron) => /** @type {HTMLElement} */ (rows.get(patron))));
    list.hidden = found.length === 0;
    const none = part(panel, "none");
    none.replaceChildren();
    if (roster.length === 0) none.append(emptyState("No one is on the roster", "Patrons appear here when they are added to the event."));
    else if (found.length === 0) none.append(emptyState("No match", "No one on this roster has that name or e-mail."));
    status.textContent = search.value.trim() ? `${found.length} of ${roster.length} patrons` : "";
  };
  search.addEventListener("input", update);
  update();

  return {
    /** @param {ReadonlyMap<string, number> | null} totals cents by e-mail; null while not all payments are known */
    showTotals(totals) {
      for (const [patron, row] of rows) {
        const cents = totals?.get(patron.email) ?? 0;
        fill(row, { paid: cents ? `${formatCents(cents)} logged` : "" });
      }
    },
  };
}

/** @param {Patron} patron @param {((patron: Patron) => void) | null} takePayment */
function createPerson(patron, takePayment) {
  const row = clone("person-template");
  fill(row, {
    name: patron.name,
    email: patron.email,
    paid: "",
    initials: initials(patron.name),
    "take-from": ` from ${patron.name}`,
  });
  const signed = patron.waiver_signed_at;
  const waiver = part(row, "waiver");
  waiver.textContent = signed ? "Waiver signed" : "No waiver";
  waiver.dataset.tone = signed ? "good" : "wait";
  if (signed) waiver.title = `${formatMoment(signed)} (${formatUtc(signed)})`;
  show(row, "take", takePayment !== null);
  part(row, "take").addEventListener("click", () => takePayment?.(patron));
  return row;
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...word][0]).join("").toUpperCase();
}
