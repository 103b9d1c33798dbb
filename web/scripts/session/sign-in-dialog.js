/** The sign-in dialog, over whatever screen is open. */

import { closeDialog, openDialog } from "../kit/dialog.js";
import { find } from "../kit/dom.js";
import { ProblemError } from "../server/api-fetch.js";
import { signIn } from "../server/api.js";

/** @returns {(notice: string, expected: User | null) => Promise<Who & {user: User}>} */
export function createSignInDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#sign-in-dialog"));
  const form = /** @type {HTMLFormElement} */ (find(dialog, "form"));
  const email = /** @type {HTMLInputElement} */ (find(form, "#sign-in-email"));
  const password = /** @type {HTMLInputElement} */ (find(form, "#sign-in-password"));
  const button = /** @type {HTMLButtonElement} */ (find(form, "button[type=submit]"));
  const error = find(form, "#sign-in-error");
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is no screen behind it to go back to

  return (notice, expected) =>
    new Promise((resolve) => {
      const listening = new AbortController();
      let busy = false;
      find(dialog, "#sign-in-notice").textContent = notice || "Sign in to see your events.";
      email.value = expected?.email ?? email.value;
      password.value = "";
      say("", null);

      /** @param {string} text @param {HTMLInputElement | null} field */
      function say(text, field) {
        error.textContent = text;
        error.hidden = text === "";
        for (const input of [email, password]) input.toggleAttribute("aria-invalid", false);
        field?.setAttribute("aria-invalid", "true");
        field?.focus();
      }

      /** @param {boolean} on */
      function setBusy(on) {
        busy = on;
        button.classList.toggle("busy", on);
        button.setAttribute("aria-disabled", String(on));
        for (const input of [email, password]) input.readOnly = on;
      }

      async function submit() {
        if (busy) return;
        if (!email.value.trim()) return say("Enter your e-mail.", email);
        if (!password.value) return say("Enter your password.", password);
        // An entry's identity comes from who logs it: a retry by someone else would log a second payment.
        if (expected && email.value.trim().toLowerCase() !== expected.email.toLowerCase()) {
          return say(`Sign in as ${expected.email} to continue. To switch users, sign out first.`, email);
        }
        setBusy(true);
        try {
          const who = await signIn(email.value.trim(), password.value);
          listening.abort();
          password.value = "";
          closeDialog(dialog);
          resolve(who);
        } catch (reason) {
          password.value = "";
          if (reason instanceof ProblemError && reason.status === 401) {
            say("The e-mail or password is incorrect. Try again.", password);
          } else {
            say(reason instanceof Error ? reason.message : String(reason), password);
          }
        } finally {
          setBusy(false);
        }
      }

      form.addEventListener("submit", (event) => {
        event.preventDefault();
        void submit();
      }, { signal: listening.signal });
      openDialog(dialog);
      (email.value ? password : email).focus();
    });
}
