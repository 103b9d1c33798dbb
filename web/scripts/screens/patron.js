/** One patron's payments across all events. */

import { clone, fill, part, show } from "../kit/dom.js";
import { formatCents } from "../kit/money.js";
import { totalsByPatron } from "../roster/paid-totals.js";
import { getEvent, listPaymentsOf } from "../server/api.js";
import { missingEvent } from "./event.js";
import { createPaymentList } from "./payment-list.js";
import { asPage, errorState, skeletons } from "./states.js";


/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{eventId: string, email: string}} place the event is the one that the history was opened from
 */
export function showPatron(app, signal, { eventId, email }) {
  document.title = "Patron · Ship Captain Crew";
  const load = async () => {
    app.present(skeletons("detail-skeleton-template", 1)[0]);
    try {
      const { event, roster } = await app.session.call(() => getEvent(eventId, signal));
      if (!signal.aborted) render(app, signal, { event, roster, email });
    } catch (error) {
      if (!signal.aborted) app.present(asPage(missingEvent(app, error) ?? errorState("The patron could not be loaded", error, load)));
    }
  };
  void load();
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{event: ScEvent, roster: Patron[], email: string}} content
 */
function render(app, signal, { event, roster, email }) {
  const screen = clone("patron-template");
  const patron = roster.find((person) => person.email === email.toLowerCase());
  const back = /** @type {HTMLAnchorElement} */ (part(screen, "back"));
  back.href = app.addressOf({ name: "event", eventId: event.event_id, tab: "" });
  fill(screen, { event: event.name, email, total: "", payments: "", events: "" });

  /** @param {string} name */
  const call = (name) => {
    document.title = `${name} · Ship Captain Crew`;
    fill(screen, { name });
  };
  call(patron?.name ?? email);
  const log = part(screen, "log");
  log.hidden = !app.session.mayLog() || !patron;
  if (patron) log.addEventListener("click", () => app.startLog(event, { roster, patron }));
  app.present(screen);

  const list = createPaymentList(part(screen, "payments-panel"), app, signal, {
    names: "event",
    read: (cursor) => listPaymentsOf(email, { cursor, signal }),
    nothing: () => ({ title: "No payments yet", text: "No payment has been logged for this patron at any event." }),
    voiding: app.session.mayLog() ? (payment) => app.startVoid(payment) : null,
    changed(entries, complete) {
      if (!patron && entries.length) call(entries[0].patron_name);
      const paid = totalsByPatron(entries).get(email.toLowerCase()) ?? 0;
      const standing = entries.filter(({ kind, voided_by: voidedBy }) => kind === "payment" && !voidedBy);
      const more = complete ? "" : "+";
      show(screen, "stats", entries.length > 0);
      fill(screen, {
        total: `${formatCents(paid)}${more}`,
        payments: `${standing.length}${more}`,
        events: `${new Set(standing.map(({ event_id: id }) => id)).size}${more}`,
      });
    },
  });
  document.addEventListener("payment-logged", (occurrence) => {
    const payment = /** @type {CustomEvent<Payment>} */ (occurrence).detail;
    if (payment.patron_email === email.toLowerCase()) list.add(payment);
  }, { signal });
}
