/** What a screen shows instead of content: loading, nothing found, or a failure with a retry. */

import { clone, fill, find } from "../kit/dom.js";
import { OutcomeUnknownError, ProblemError } from "../server/api-fetch.js";

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

/** @param {string} title @param {unknown} error @param {() => void} retry also called when the network comes back */
export function errorState(title, error, retry) {
  const state = clone("error-template");
  fill(state, { title, text: explain(error) });
  find(state, "button").addEventListener("click", retry);
  if (error instanceof OutcomeUnknownError) {
    addEventListener("online", () => state.isConnected && retry(), { once: true });
  }
  return state;
}

/** Adds a link to another screen. @param {HTMLElement} state @param {string} text @param {string} href */
export function leadingTo(state, text, href) {
  const link = document.createElement("a");
  link.className = "button";
  link.dataset.route = "";
  link.href = href;
  link.textContent = text;
  state.append(link);
  return state;
}

/** For a screen with nothing else on it: its title becomes the page's heading. @param {HTMLElement} state */
export function asPage(state) {
  find(state, "[role=heading]").ariaLevel = "1";
  return state;
}

/** Why a payment's screen is empty. @param {import("../session/session.js").Session} session */
export function hiddenMoney(session) {
  return asPage(session.hasAdminTools()
    ? emptyState("Payments are hidden", "Turn on Admin tools at the top of the page to see them.")
    : emptyState("Your account can’t see payments", "It can see events and their rosters."));
}

/** @param {unknown} error @returns {string} */
export function explain(error) {
  if (!navigator.onLine) return "You are offline. Check your connection and try again.";
  if (error instanceof ProblemError && error.status === 403) return "Your account doesn’t have access to this.";
  return error instanceof Error ? error.message : String(error);
}
