/** Finding a person on an event's roster, however their name is typed. */

import { fold } from "../kit/text.js";

/**
 * Patrons whose name or e-mail holds every word of the query; those that start with it come first.
 * @param {readonly Patron[]} roster
 * @param {string} query
 * @returns {Patron[]}
 */
export function matchRoster(roster, query) {
  const wanted = fold(query);
  const words = wanted.split(/\s+/).filter(Boolean);
  return roster
    .map((patron) => ({ patron, name: fold(patron.name), email: fold(patron.email) }))
    .filter(({ name, email }) => words.every((word) => name.includes(word) || email.includes(word)))
    .map((entry) => ({ ...entry, rank: rank(entry, wanted) }))
    .sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name))
    .map(({ patron }) => patron);
}

/**
 * The one patron whose full name or e-mail was typed; null when there is none or more than one.
 * @param {readonly Patron[]} roster
 * @param {string} text
 * @returns {Patron | null}
 */
export function exactPatron(roster, text) {
  const wanted = fold(text);
  const byEmail = roster.filter((patron) => fold(patron.email) === wanted);
  if (byEmail.length === 1) return byEmail[0];
  const byName = roster.filter((patron) => fold(patron.name) === wanted);
  return byName.length === 1 ? byName[0] : null;
}

/** @param {{name: string, email: string}} entry @param {string} wanted */
function rank({ name, email }, wanted) {
  if (name.startsWith(wanted) || email.startsWith(wanted)) return 0;
  return name.split(/\s+/).some((word) => word.startsWith(wanted)) ? 1 : 2;
}
