/**
 * The void being sent in this tab: kept until its fate is known, through reloads and crashes of the tab, so that
 * a retry has the same key.
 */

/**
 * @typedef {object} PendingVoid
 * @property {string} key
 * @property {string} user e-mail: the server derives the entry's identity from the key and who is signed in
 * @property {import("../server/api.js").Payment} payment
 * @property {({timestamp: number} & Record<string, any>) | null} body null until it was sent for the first time
 */

const SLOT = "scc.pending-void";

/** @param {PendingVoid} pending */
export function storeVoid(pending) {
  try {
    sessionStorage.setItem(SLOT, JSON.stringify(pending));
  } catch {
    // Storage may be full or switched off; the key still protects retries within this page.
  }
}

export function clearVoid() {
  try {
    sessionStorage.removeItem(SLOT);
  } catch {
    // See storeVoid.
  }
}

/** @param {string} user @returns {PendingVoid | null} a void sent before a reload whose fate nobody has told */
export function unresolvedVoid(user) {
  try {
    const pending = JSON.parse(sessionStorage.getItem(SLOT) ?? "null");
    return pending?.body && pending.user === user ? pending : null;
  } catch {
    return null;
  }
}
