/** Who is signed in, and what they may see and do. */

import { ProblemError } from "../server/api-fetch.js";
import { getSession, signOut } from "../server/api.js";
import { createSignInDialog } from "./sign-in-dialog.js";

/** @typedef {ReturnType<typeof createSession>} Session */

const TOOLS_SLOT = "scc.admin-tools";

/** @param {() => void} changed called when the user or what may be shown changes */
export function createSession(changed) {
  /** @type {User | null} */
  let user = null;
  let timezone = "UTC";
  let adminTools = readAdminTools();
  const askToSignIn = createSignInDialog();
  /** @type {Promise<void> | null} several calls may find the session gone at once; one dialog serves them all */
  let asking = null;

  const may = (/** @type {Grant} */ grant) => user?.may.includes(grant) ?? false;

  /** @param {Who} who */
  const enter = (who) => {
    user = who.user;
    timezone = who.business_timezone;
  };

  /** @param {string} notice */
  const requireSignIn = (notice) => {
    asking ??= askToSignIn(notice, user)
      .then((who) => {
        const sameUser = user?.sub === who.user.sub;
        enter(who);
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
    /** IANA name of the zone in which the office's days begin and end. */
    get timezone() {
      return timezone;
    },
    get adminTools() {
      return adminTools;
    },
    /** Whether the user has the Admin tools switch: those who log payments do so next to patrons. */
    hasAdminTools: () => may("log_payments"),
    mayLog: () => may("log_payments") && adminTools,
    maySeeMoney: () => may("read_payments") && (adminTools || !may("log_payments")),

    /** Off hides all amounts while a patron is looking. @param {boolean} on */
    setAdminTools(on) {
      adminTools = on;
      try {
        sessionStorage.setItem(TOOLS_SLOT, on ? "on" : "off");
      } catch {
        // Then the switch lasts for this page only.
      }
      changed();
    },

    /** Finds out who is signed in; shows the sign-in dialog if nobody is. */
    async start() {
      enter(await getSession());
      if (user) changed();
      else await requireSignIn("");
    },

    requireSignIn,

    /**
     * Makes a call. If the session has ended, the user signs in again in place and the call is repeated.
     * @template T
     * @param {() => Promise<T>} call
     * @returns {Promise<T>}
     */
    async call(call) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof ProblemError && error.status === 401)) throw error;
        await requireSignIn("Your session has ended. Sign in to continue where you left off.");
        return call();
      }
    },

    async leave() {
      await signOut();
      try {
        sessionStorage.clear();
      } catch {
        // Then nothing was kept.
      }
      // A fresh page keeps nothing about the last user in memory.
      location.assign(document.baseURI);
    },
  };
}

function readAdminTools() {
  try {
    return sessionStorage.getItem(TOOLS_SLOT) !== "off";
  } catch {
    return true;
  }
}
