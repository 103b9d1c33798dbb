/** A list of entries, newest first, each with the live state of its mail; for an event and for a patron. */

import { isUnsettled, latestAudit, watchAudit } from "../entries/audit-watch.js";
import { createRow, updateRow } from "../entries/row.js";
import { part } from "../kit/dom.js";
import { serverNow } from "../server/api-fetch.js";
import { getPayment } from "../server/api.js";
import { emptyState, errorState, explain, skeletons } from "./states.js";

const MOST_OLD_LOOKS = 5;

/**
 * @param {HTMLElement} panel
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {object} source
 * @param {"patron" | "event"} source.names
 * @param {(cursor: string | null) => Promise<PaymentPage>} source.read
 * @param {() => {title: string, text: string}} source.nothing what to say when there are none
 * @param {((payment: Payment) => void) | null} source.voiding
 * @param {(payments: Payment[], complete: boolean) => void} source.changed entries were added or voided
 * @param {(payment: Payment) => void} [source.grew] an entry that the server's first answer did not count
 */
export function createPaymentList(panel, app, signal, { names, read, nothing, voiding, changed, grew }) {
  const table = part(panel, "table");
  const body = part(panel, "rows");
  const none = part(panel, "none");
  const more = /** @type {HTMLButtonElement} */ (part(panel, "more"));
  const moreError = part(panel, "more-error");
  /** @type {Map<string, {payment: Payment, row: HTMLElement}>} */
  const shown = new Map();
  /** @type {string | null} */
  let cursor = null;
  let loaded = false;
  let doubtful = 0;
  const context = {
    addressOf: app.addressOf, names, voiding,
    known: (/** @type {string} */ id) => shown.get(id)?.payment,
  };

  const update = () => {
    table.hidden = shown.size === 0;
    more.hidden = !cursor;
    const { title, text } = nothing();
    none.replaceChildren(...(shown.size || doubtful || !loaded ? [] : [emptyState(title, text)]));
    changed([...shown.values()].map(({ payment }) => payment), loaded && !cursor && !doubtful);
  };

  /** Shows the latest state of an entry. @param {Payment} payment @returns {"added" | "changed" | "same"} */
  const put = (payment) => {
    const entry = shown.get(payment.payment_id);
    if (!entry) {
      insert(payment);
      const original = payment.voids ? shown.get(payment.voids) : undefined;
      if (original) put({ ...original.payment, voided_by: payment.payment_id });
      return "added";
    }
    const before = entry.payment;
    entry.payment = {
      ...payment,
      audit: latestAudit(before, payment),
      // A list read just before a void was written must not undo what is known.
      voided_by: payment.voided_by ?? before.voided_by,
    };
    updateRow(entry.row, entry.payment, serverNow(), context);
    return before.voided_by === entry.payment.voided_by ? "same" : "changed";
  };

  /** @param {Payment} payment */
  const insert = (payment) => {
    const later = [...body.children].find((other) => {
      const entry = shown.get(/** @type {HTMLElement} */ (other).dataset.paymentId ?? "");
      return entry !== undefined && isBefore(payment, entry.payment);
    });
    const entry = { payment, row: createRow(payment, serverNow(), context) };
    shown.set(payment.payment_id, entry);
    if (later) later.before(entry.row);
    else body.append(entry.row);
  };

  /** Names the rows that are not as they were written. @param {PaymentPage} page */
  const doubt = async ({ problems = [] }) => {
    if (!problems.length && !doubtful) return;
    doubtful = (await app.doubtfulRows()).nameDoubtfulRows(panel, problems, shown);
  };

  /** @param {Payment[]} payments */
  const putAll = (payments) => {
    const fresh = payments.filter((payment) => put(payment) === "added");
    // Rows name related entries by number, and either one may arrive first.
    for (const { payment, row } of shown.values()) updateRow(row, payment, serverNow(), context);
    return fresh;
  };

  const isMoving = () => [...shown.values()].some(({ payment }) => isUnsettled(payment));

  const look = async () => {
    if (!loaded) return false;
    const page = await read(null);
    const oldest = page.payments.at(-1);
    const inPage = new Set(page.payments.map(({ payment_id: id }) => id));
    await doubt(page);
    const fresh = putAll(page.payments);
    for (const payment of fresh) {
      shown.get(payment.payment_id)?.row.classList.add("fresh");
      grew?.(payment); // logged by another admin
    }
    const older = [...shown.values()].map(({ payment }) => payment)
      .filter((payment) => isUnsettled(payment) && !inPage.has(payment.payment_id) && oldest && isBefore(oldest, payment));
    for (const payment of older.slice(0, MOST_OLD_LOOKS)) put(await getPayment(payment.payment_id, signal));
    update();
    return isMoving();
  };
  const watch = watchAudit(look, signal);

  const load = async () => {
    table.hidden = true;
    none.replaceChildren(...skeletons("payments-skeleton-template", 1));
    try {
      const page = await app.session.call(() => read(null));
      await doubt(page);
      if (signal.aborted) return;
      loaded = true;
      cursor = page.cursor;
      putAll(page.payments);
      update();
      app.settled();
      if (isMoving()) watch.soon();
    } catch (error) {
      if (!signal.aborted) none.replaceChildren(errorState("The payments could not be loaded", error, load));
    }
  };

  more.addEventListener("click", async () => {
    if (more.classList.contains("busy")) return;
    more.classList.add("busy");
    moreError.textContent = "";
    try {
      const page = await app.session.call(() => read(cursor));
      await doubt(page);
      cursor = page.cursor;
      const [first] = putAll(page.payments);
      update();
      // After the last page the button is gone, so the focus moves to the first row it loaded.
      if (!cursor && first) shown.get(first.payment_id)?.row.querySelector("a")?.focus();
    } catch (error) {
      if (!signal.aborted) moreError.textContent = explain(error);
    }
    more.classList.remove("busy");
  });

  void load();

  return {
    /** An entry logged in this tab. @param {Payment} payment */
    add(payment) {
      if (!loaded) return; // the list being loaded includes it
      const isNew = !shown.has(payment.payment_id);
      putAll([{ ...payment, audit: payment.audit ?? { state: "queued" } }]);
      update();
      if (isNew) grew?.(payment);
      shown.get(payment.payment_id)?.row.classList.add("fresh");
      watch.soon();
    },
  };
}

/** Newest first. @param {Payment} one @param {Payment} other */
function isBefore(one, other) {
  return one.timestamp > other.timestamp || (one.timestamp === other.timestamp && one.seq > other.seq);
}
