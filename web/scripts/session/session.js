/** Who is signed in, what they may see, and the sign-in dialog. */

import { closeDialog, openDialog } from "../kit/dialog.js";
import { find } from "../kit/dom.js";
import { ProblemError } from "../server/api-fetch.js";
import { getSession, signIn, signOut } from "../server/api.js";

/** @typedef {import("../server/api.js").User} User */
/** @typedef {ReturnType<typeof createSession>} Session */

const TOOLS_SLOT = "scc.admin-tools";

/** @param {() => void} changed called when someone else is signed in, or what may be shown has changed */
export function createSession(changed) {
  /** @type {User | null} */
  let user = null;
  let adminTools = readAdminTools();
  const askToSignIn = createSignInDialog();
  /** @type {Promise<void> | null} several calls may find the session gone at once; one dialog serves them all */
  let asking = null;

  const isAdmin = () => user?.groups.includes("admins") ?? false;
  const isAuditor = () => user?.groups.includes("auditors") ?? false;

  /** @param {string} notice */
  const requireSignIn = (notice) => {
    asking ??= askToSignIn(notice, user)
      .then((signedIn) => {
        const sameUser = user?.email === signedIn.email;
        user = signedIn;
        if (!sameUser) changed();
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  return {
    get user() {
      return user;
    },
    get adminTools() {
      return adminTools;
    },
    isAdmin,
    mayLog: () => isAdmin() && adminTools,
    maySeeMoney: () => (isAdmin() ? adminTools : isAuditor()),

    /** Money leaves the screen while a patron looks on. @param {boolean} on */
    setAdminTools(on) {
      adminTools = on;
      try {
        sessionStorage.setItem(TOOLS_SLOT, on ? "on" : "off");
      } catch {
        // The switch then lasts for this page only.
      }
      changed();
    },

    /** Finds out who is signed in, asking for it when nobody is. */
    async start() {
      user = await getSession();
      if (user) changed();
      else await requireSignIn("");
    },

    requireSignIn,

    /**
     * Makes a call; when the session has ended, has the user sign in again in place and makes it anew.
     * @template T
     * @param {() => Promise<T>} call
     * @returns {Promise<T>}
     */
    async call(call) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof ProblemError && error.status === 401)) throw error;
        await requireSignIn("Your session has ended. Sign in to go on where you were.");
        return call();
      }
    },

    async leave() {
      await signOut();
      try {
        sessionStorage.clear();
      } catch {
        // Nothing was kept then.
      }
      // A fresh page keeps nothing of the last user in memory.
      location.assign(document.baseURI);
    },
  };
}

/** @returns {(notice: string, expected: User | null) => Promise<User>} */
function createSignInDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#sign-in-dialog"));
  const form = /** @type {HTMLFormElement} */ (find(dialog, "form"));
  const email = /** @type {HTMLInputElement} */ (find(form, "#sign-in-email"));
  const password = /** @type {HTMLInputElement} */ (find(form, "#sign-in-password"));
  const button = /** @type {HTMLButtonElement} */ (find(form, "button[type=submit]"));
  const error = find(form, "#sign-in-error");
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is nothing behind it to go back to

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
        // An entry's identity comes from who logs it: a retry by someone else would be a second payment.
        if (expected && email.value.trim().toLowerCase() !== expected.email.toLowerCase()) {
          return say(`Sign in as ${expected.email} to go on. To change users, sign out first.`, email);
        }
        setBusy(true);
        try {
          const user = await signIn(email.value.trim(), password.value);
          listening.abort();
          password.value = "";
          closeDialog(dialog);
          resolve(user);
        } catch (reason) {
          password.value = "";
          if (reason instanceof ProblemError && reason.status === 401) {
            say("E-mail or password is not right. Try again.", password);
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

function readAdminTools() {
  try {
    return sessionStorage.getItem(TOOLS_SLOT) !== "off";
  } catch {
    return true;
  }
}
