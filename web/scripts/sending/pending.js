/**
 * The payment being logged in this tab. Its key lives from the opening of the form to a definite end, through
 * reloads and crashes of the tab; sessionStorage is per tab, so two tabs never share one.
 */

/**
 * @typedef {object} Pending
 * @property {string} key
 * @property {string} eventId
 * @property {string} user e-mail: the server derives the entry's identity from the key and who is signed in
 * @property {import("./submission.js").Body | null} body null until it was sent for the first time
 * @property {number} sentAt epoch ms by this device's clock, when body was sent last; 0 before
 * @property {string} eventName so that a form that is opened again can say where
 * @property {string} patronName
 */

const SLOT = "scc.pending-payment";

/** @param {{eventId: string, eventName: string, user: string}} whose @returns {Pending} */
export function mintPending(whose) {
  return store({ key: crypto.randomUUID(), ...whose, body: null, sentAt: 0, patronName: "" });
}

/** @param {Pending} pending @returns {Pending} */
export function store(pending) {
  try {
    sessionStorage.setItem(SLOT, JSON.stringify(pending));
  } catch {
    // Storage may be full or switched off; the key still protects retries within this page.
  }
  return pending;
}

export function clearPending() {
  try {
    sessionStorage.removeItem(SLOT);
  } catch {
    // See store.
  }
}

/** @param {string} user @returns {Pending | null} a payment sent before a reload whose fate nobody has told */
export function unresolvedPending(user) {
  try {
    const pending = JSON.parse(sessionStorage.getItem(SLOT) ?? "null");
    return pending?.body && pending.user === user ? pending : null;
  } catch {
    return null;
  }
}
