/** Native dialogs: `.active` is set exactly while a dialog is open, and every way out goes through one guard. */

import { find } from "./dom.js";

/** @type {WeakMap<HTMLDialogElement, HTMLElement | null>} */
const openers = new WeakMap();

/** @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  if (dialog.open) return;
  const root = document.documentElement;
  if (!root.classList.contains("dialog-open")) {
    root.style.setProperty("--scrollbar", `${innerWidth - root.clientWidth}px`);
  }
  openers.set(dialog, /** @type {HTMLElement | null} */ (document.activeElement));
  dialog.showModal();
  dialog.classList.add("active");
  root.classList.add("dialog-open");
}

/** Closes it and returns the focus to what opened it. @param {HTMLDialogElement} dialog */
export function closeDialog(dialog) {
  if (!dialog.open) return;
  dialog.classList.remove("active");
  dialog.close();
  document.documentElement.classList.toggle("dialog-open", document.querySelector("dialog[open]") !== null);
  const opener = openers.get(dialog);
  if (opener?.isConnected && !opener.closest("[hidden]")) opener.focus();
}

/**
 * Esc, a click on the backdrop and every [data-close] button ask the same question.
 * @param {HTMLDialogElement} dialog
 * @param {(byEscape: boolean) => void} leave closes the dialog, asks first, or refuses
 */
export function guardDialog(dialog, leave) {
  // Browsers close a dialog on the second Esc whatever "cancel" listeners do. Where closedby="none" is supported,
  // Esc is left to us; preventDefault covers the other browsers.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave(true);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    leave(true);
  });
  let pressedOutside = false;
  dialog.addEventListener("pointerdown", (event) => {
    pressedOutside = event.target === dialog;
  });
  dialog.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("[data-close]") || (pressedOutside && target === dialog)) leave(false);
    pressedOutside = false;
  });
}

/**
 * Asks before something is lost, or, when not `risky`, before something else happens.
 * @param {{title: string, text: string, yes: string, no: string, risky?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmLeaving({ title, text, yes, no, risky = true }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#confirm-dialog"));
  if (dialog.open) return Promise.resolve(false); // already asking
  find(dialog, "#confirm-title").textContent = title;
  find(dialog, "#confirm-text").textContent = text;
  const yesButton = find(dialog, "[data-yes]");
  const noButton = find(dialog, "[data-no]");
  yesButton.textContent = yes;
  noButton.textContent = no;
  // The button that loses nothing is the primary one.
  yesButton.className = risky ? "button danger" : "button primary";
  noButton.className = risky ? "button primary" : "button";
  openDialog(dialog);
  (risky ? noButton : yesButton).focus();
  return new Promise((resolve) => {
    const listening = new AbortController();
    const { signal } = listening;
    /** @param {boolean} answer */
    const settle = (answer) => {
      listening.abort();
      closeDialog(dialog);
      resolve(answer);
    };
    yesButton.addEventListener("click", () => settle(true), { signal });
    noButton.addEventListener("click", () => settle(false), { signal });
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      settle(false);
    }, { signal });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      settle(false);
    }, { signal });
  });
}
