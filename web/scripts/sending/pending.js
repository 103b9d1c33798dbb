/**
 * The write of a dialog that may still be on its way. Its record is kept with its key through reloads and crashes
 * of the tab until its fate is known; sessionStorage is per tab, so two tabs never share one.
 */

/** @typedef {Record<string, any>} Body a request's body; a `timestamp` in it is epoch ms */
/**
 * @template D what the dialog must know to show the write again
 * @typedef {{
 *   key: string,
 *   user: string,
 *   body: Body | null,
 *   sentAt: number,
 * } & D} Pending
 *   key: stays the same for every attempt; user: e-mail, since the server derives an entry's identity from the key
 *   and who is signed in; body: null until the write is sent; sentAt: epoch ms by this device's clock, 0 until then
 */

/**
 * @template {object} D
 * @param {string} slot the name in sessionStorage
 */
function createPendingStore(slot) {
  /** @param {Pending<D>} pending */
  const keep = (pending) => {
    try {
      sessionStorage.setItem(slot, JSON.stringify(pending));
    } catch {
      // Storage may be full or turned off; the key still protects retries within this page.
    }
  };

  return {
    keep,

    /** @param {string} user @param {D} details @returns {Pending<D>} with a new key */
    mint(user, details) {
      const pending = { key: crypto.randomUUID(), user, body: null, sentAt: 0, ...details };
      keep(pending);
      return pending;
    },

    clear() {
      try {
        sessionStorage.removeItem(slot);
      } catch {
        // See keep.
      }
    },

    /** @param {string} user @returns {Pending<D> | null} a write sent before a reload whose answer never came */
    unresolved(user) {
      try {
        const pending = JSON.parse(sessionStorage.getItem(slot) ?? "null");
        return pending?.body && pending.user === user ? { sentAt: 0, ...pending } : null;
      } catch {
        return null;
      }
    },
  };
}

/**
 * @template {object} D
 * @typedef {ReturnType<typeof createPendingStore<D>>} PendingStore
 */
/** @typedef {{eventId: string, eventName: string, patronName: string}} PaymentDetails */
/** @typedef {{payment: Payment}} VoidDetails the payment to void */

/** @type {PendingStore<PaymentDetails>} */
export const pendingPayment = createPendingStore("scc.pending-payment");

/** @type {PendingStore<VoidDetails>} */
export const pendingVoid = createPendingStore("scc.pending-void");
