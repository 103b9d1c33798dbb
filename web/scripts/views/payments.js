/** The payments of an event, newest first, each with the live state of its audit mail. */

import { listPayments, serverNow } from "../api.js";
import { isUnsettled, watchAudit } from "../audit-watch.js";
import { part } from "../dom.js";
import { totalsByPatron } from "../payment-form.js";
import { createRow, updateChip } from "../payment-row.js";
import { emptyState, errorState, explain, skeletons } from "./states.js";

/** @typedef {import("../api.js").Payment} Payment */

const PAGE = 50;

/**
 * @param {HTMLElement} panel
 * @param {import("../main.js").App} app
 * @param {string} eventId
 * @param {AbortSignal} signal
 * @param {object} listener
 * @param {(totals: Map<string, number> | null) => void} listener.summed null while not all payments are known
 * @param {(payment: Payment) => void} listener.grew one more payment than the server had told of
 */
export function createPaymentsPanel(panel, app, eventId, signal, { summed, grew }) {
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

  const update = () => {
    table.hidden = shown.size === 0;
    more.hidden = !cursor;
    none.replaceChildren(...(shown.size || !loaded
      ? []
      : [emptyState("No payments yet", "The first payment logged for this event appears here.")]));
    summed(loaded && !cursor ? totalsByPatron([...shown.values()].map(({ payment }) => payment)) : null);
  };

  /** @param {Payment} payment @returns {boolean} whether it is new here */
  const put = (payment) => {
    const known = shown.get(payment.payment_id);
    if (known) {
      // A list read a moment before the mailer wrote must not take back "sent".
      if (!isUnsettled(known.payment) && isUnsettled(payment)) return false;
      known.payment = payment;
      updateChip(part(known.row, "audit"), payment, serverNow());
      return false;
    }
    const row = createRow(payment, serverNow());
    const later = [...body.children].find((other) => {
      const entry = shown.get(/** @type {HTMLElement} */ (other).dataset.paymentId ?? "");
      return entry !== undefined && isBefore(payment, entry.payment);
    });
    shown.set(payment.payment_id, { payment, row });
    if (later) later.before(row);
    else body.append(row);
    return true;
  };

  const look = async () => {
    const page = await listPayments(eventId, { limit: PAGE, signal });
    const fresh = page.payments.filter((payment) => put(payment));
    if (fresh.length) update();
    fresh.forEach(grew); // another admin's
    return [...shown.values()].some(({ payment }) => isUnsettled(payment));
  };
  const watch = watchAudit(look, signal);

  const load = async () => {
    table.hidden = true;
    none.replaceChildren(...skeletons("payments-skeleton-template", 1));
    try {
      const page = await app.session.call(() => listPayments(eventId, { limit: PAGE, signal }));
      loaded = true;
      cursor = page.cursor;
      page.payments.forEach(put);
      update();
      if ([...shown.values()].some(({ payment }) => isUnsettled(payment))) watch.soon();
    } catch (error) {
      if (!signal.aborted) none.replaceChildren(errorState("The payments could not be loaded", error, load));
    }
  };

  more.addEventListener("click", async () => {
    if (more.classList.contains("busy")) return;
    more.classList.add("busy");
    moreError.textContent = "";
    try {
      const page = await app.session.call(() => listPayments(eventId, { limit: PAGE, cursor, signal }));
      cursor = page.cursor;
      page.payments.forEach(put);
      update();
    } catch (error) {
      if (!signal.aborted) moreError.textContent = explain(error);
    }
    more.classList.remove("busy");
  });

  void load();

  return {
    /** A payment logged in this tab. @param {Payment} payment */
    add(payment) {
      if (put({ ...payment, audit: payment.audit ?? { state: "queued" } })) {
        update();
        grew(payment);
      }
      shown.get(payment.payment_id)?.row.classList.add("fresh");
      watch.soon();
    },
  };
}

/** Newest first. @param {Payment} one @param {Payment} other */
function isBefore(one, other) {
  return one.timestamp > other.timestamp || (one.timestamp === other.timestamp && one.seq > other.seq);
}
