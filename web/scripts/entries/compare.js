/** A small table of what was and what is now. */

import { clone, fill } from "../kit/dom.js";

/** @param {HTMLElement} body of the table @param {readonly Difference[]} lines */
export function fillCompare(body, lines) {
  body.replaceChildren(...lines.map(({ label, before, after, changed }) => {
    const row = clone("compare-row-template");
    fill(row, { label, before, after });
    row.classList.toggle("changed", changed);
    return row;
  }));
}
