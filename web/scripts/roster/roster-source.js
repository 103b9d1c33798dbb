/** The roster behind a patron field: known already, or read while the form is open. */

import { getEvent } from "../server/api.js";

/**
 * @param {import("../session/session.js").Session} session
 * @param {{arrived: () => void, failed: (reason: string) => void}} handlers
 */
export function createRosterSource(session, { arrived, failed }) {
  /** @type {readonly Patron[] | null} */
  let patrons = null;
  let reading = new AbortController();

  /** @param {string} eventId @param {AbortSignal} signal */
  async function read(eventId, signal) {
    try {
      const { roster } = await session.call(() => getEvent(eventId, signal));
      if (signal.aborted) return;
      patrons = roster;
      arrived();
    } catch (error) {
      if (!signal.aborted) failed(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    /** null while it is being read */
    get patrons() {
      return patrons;
    },

    /** @param {string} eventId @param {readonly Patron[] | null} known */
    use(eventId, known) {
      reading.abort();
      reading = new AbortController();
      patrons = known;
      if (!known) void read(eventId, reading.signal);
    },

    /** Stops reading: the form is closed. */
    stop: () => reading.abort(),
  };
}
