/** One event: its details, and tabs for the roster and the payments. */

import { isOld, isWhole, mailTrouble, methodShares, withPayment } from "../entries/event-sums.js";
import { clone, fill, find, part, setTime, show } from "../kit/dom.js";
import { centsOf, formatCents } from "../kit/money.js";
import { createTabs } from "../kit/tabs.js";
import { describeDay, formatMoment, formatUtc } from "../kit/time.js";
import { totalsByPatron } from "../roster/paid-totals.js";
import { ProblemError, serverNow } from "../server/api-fetch.js";
import { getEvent, listPayments } from "../server/api.js";
import { createPaymentList } from "./payment-list.js";
import { createRosterPanel } from "./roster-panel.js";
import { asPage, emptyState, errorState, leadingTo, skeletons } from "./states.js";


const PAGE = 50;

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{eventId: string, tab: string}} place
 */
export function showEventDetail(app, signal, { eventId, tab }) {
  const load = async () => {
    app.present(skeletons("detail-skeleton-template", 1)[0]);
    try {
      const { event, roster } = await app.session.call(() => getEvent(eventId, signal));
      if (!signal.aborted) render(app, signal, { event, roster, tab });
    } catch (error) {
      if (!signal.aborted) app.present(asPage(missingEvent(app, error) ?? errorState("The event could not be loaded", error, load)));
    }
  };
  document.title = "Event · Ship Captain Crew";
  void load();
}

/** @param {App} app @param {unknown} error @returns {HTMLElement | null} null unless the server has no such event */
export function missingEvent(app, error) {
  if (!(error instanceof ProblemError && error.status === 404)) return null;
  document.title = "No such event · Ship Captain Crew";
  const state = emptyState("There is no such event", "Check the address, or look for it in the list of events.");
  return leadingTo(state, "All events", app.addressOf({ name: "events" }));
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{event: ScEvent, roster: Patron[], tab: string}} content
 */
function render(app, signal, { event, roster, tab }) {
  const screen = clone("event-detail-template");
  const { event_id: eventId } = event;
  const day = describeDay(event.event_date);
  const money = app.session.maySeeMoney();
  document.title = `${event.name} · Ship Captain Crew`;
  /** @type {HTMLAnchorElement} */ (part(screen, "back")).href = app.addressOf({ name: "events" });
  // The waiver is one server-rendered page, the same for every copy of this app.
  /** @type {HTMLAnchorElement} */ (part(screen, "waiver")).href = `/g/${encodeURIComponent(eventId)}/waiver`;
  fill(screen, { name: event.name, month: day.month, day: day.day, date: day.long, location: event.location, zone: event.timezone.replaceAll("_", " ") });
  const log = part(screen, "log");
  log.hidden = !app.session.mayLog();
  log.addEventListener("click", () => app.startLog(event, { roster }));

  const tabs = createTabs(screen, (name) => app.keepPlace({ name: "event", eventId, tab: name }));
  const rosterPanel = createRosterPanel(part(screen, "roster-panel"), roster, {
    logFor: app.session.mayLog() ? (patron) => app.startLog(event, { roster, patron }) : null,
    historyOf: money ? ({ email }) => app.addressOf({ name: "patron", eventId, email }) : null,
  });
  part(screen, "roster-count").textContent = String(roster.length);

  for (const name of ["stats", "export"]) show(screen, name, money);
  tabs.offer("payments", money);
  tabs.select(money && tab === "payments" ? "payments" : "roster");
  app.present(screen);
  if (!money) return app.settled();

  fillStats(screen, event);
  part(screen, "export").addEventListener("click", () => app.downloadEvent(part(screen, "export"), eventId, signal));
  const payments = createPaymentList(part(screen, "payments-panel"), app, signal, {
    names: "patron",
    read: (cursor) => listPayments(eventId, { limit: PAGE, cursor, signal }),
    nothing: () => (event.last_payment_at
      ? { title: "No entry is left", text: "" }
      : { title: "No payments yet", text: "The first payment logged for this event appears here." }),
    voiding: app.session.mayLog() ? (payment) => app.startVoid(payment, { roster }) : null,
    changed(entries, complete) {
      const whole = isWhole(entries);
      rosterPanel.showTotals(complete && whole ? totalsByPatron(entries) : null);
      show(screen, "expired", complete && isOld(event.event_date, serverNow()) && !(whole && entries.length > 0));
    },
    grew(payment) {
      Object.assign(event, withPayment(event, payment));
      fillStats(screen, event);
    },
  });
  document.addEventListener("payment-logged", (occurrence) => {
    const payment = /** @type {CustomEvent<Payment>} */ (occurrence).detail;
    if (payment.event_id !== eventId) return;
    payments.add(payment);
    tabs.select("payments");
    app.keepPlace({ name: "event", eventId, tab: "payments" });
  }, { signal });
}

/** @param {HTMLElement} screen @param {ScEvent} event */
function fillStats(screen, event) {
  fill(screen, {
    total: formatCents(centsOf(event.total ?? "0.00")),
    count: String(event.payments_count ?? 0),
  });
  const last = /** @type {HTMLTimeElement} */ (part(screen, "last"));
  last.textContent = "None yet";
  if (event.last_payment_at) setTime(last, event.last_payment_at, formatMoment(event.last_payment_at), formatUtc(event.last_payment_at));
  part(screen, "payments-count").textContent = String(event.payments_count ?? 0);

  const shares = methodShares(event);
  show(screen, "methods", shares.length > 0);
  part(screen, "shares").replaceChildren(...shares.map(({ method, name, amount, share }) => {
    const item = clone("share-template");
    item.dataset.method = method;
    item.style.setProperty("--share", String(share));
    fill(item, { name, amount });
    return item;
  }));
  const trouble = mailTrouble(event);
  show(screen, "trouble", trouble !== null);
  find(screen, "[data-part=trouble] .chip").textContent = trouble?.text ?? "";
  /** @type {HTMLElement} */ (find(screen, "[data-part=trouble] .chip")).dataset.tone = trouble?.tone;
}
