/** What a screen shows when there is nothing to show: nothing yet, nothing at all, or a failure with a way on. */

import { ProblemError } from "../api.js";
import { clone, fill, find } from "../dom.js";

/** @param {string} id of a skeleton <template> @param {number} count */
export function skeletons(id, count) {
  return Array.from({ length: count }, () => clone(id));
}

/** @param {string} title @param {string} text */
export function emptyState(title, text) {
  const state = clone("empty-template");
  fill(state, { title, text });
  return state;
}

/** @param {string} title @param {unknown} error @param {() => void} retry */
export function errorState(title, error, retry) {
  const state = clone("error-template");
  fill(state, { title, text: explain(error) });
  find(state, "button").addEventListener("click", retry);
  return state;
}

/** For a screen that has nothing else: its title becomes the page's. @param {HTMLElement} state */
export function asPage(state) {
  find(state, "[role=heading]").ariaLevel = "1";
  return state;
}

/** @param {unknown} error @returns {string} */
export function explain(error) {
  if (!navigator.onLine) return "You are offline. Check your connection and try again.";
  if (error instanceof ProblemError && error.status === 403) return "Your account may not see this.";
  return error instanceof Error ? error.message : String(error);
}
