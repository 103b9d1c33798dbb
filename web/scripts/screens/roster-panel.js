/** The people of an event, searchable. */

import { clone, fill, find, part, show } from "../kit/dom.js";
import { formatCents } from "../kit/money.js";
import { formatMoment, formatUtc } from "../kit/time.js";
import { matchRoster } from "../roster/search.js";
import { emptyState } from "./states.js";

/**
 * @typedef {object} Actions what the user may do; null when not allowed
 * @property {((patron: Patron) => void) | null} logFor
 * @property {((patron: Patron) => string) | null} historyOf the address of a patron's payments
 */

/**
 * @param {HTMLElement} panel
 * @param {readonly Patron[]} roster
 * @param {Actions} actions
 */
export function createRosterPanel(panel, roster, actions) {
  const list = part(panel, "people");
  const search = /** @type {HTMLInputElement} */ (find(panel, "input"));
  const status = part(panel, "found");
  const rows = new Map(roster.map((patron) => [patron, createPerson(patron, actions)]));
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
        fill(row, { paid: cents ? `already logged ${formatCents(cents)}` : "" });
      }
    },
  };
}

/** @param {Patron} patron @param {Actions} actions */
function createPerson(patron, { logFor, historyOf }) {
  const row = clone("person-template");
  fill(row, {
    name: patron.name,
    email: patron.email,
    paid: "",
    initials: initials(patron.name),
    "log-for": ` for ${patron.name}`,
  });
  const history = find(row, "a");
  if (historyOf) /** @type {HTMLAnchorElement} */ (history).href = historyOf(patron);
  else history.replaceWith(...history.childNodes);
  const signed = patron.waiver_signed_at;
  const waiver = part(row, "waiver");
  waiver.textContent = signed ? "Waiver signed" : "No waiver";
  waiver.dataset.tone = signed ? "good" : "wait";
  if (signed) waiver.title = `${formatMoment(signed)} (${formatUtc(signed)})`;
  show(row, "log", logFor !== null);
  part(row, "log").addEventListener("click", () => logFor?.(patron));
  return row;
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...word][0]).join("").toUpperCase();
}
