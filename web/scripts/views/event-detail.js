/** One event: its facts, and the tabs roster and payments. */

import { ProblemError, getEvent } from "../api.js";
import { clone, fill, find, part, setTime, show } from "../dom.js";
import { centsOf, formatCents } from "../money.js";
import { describeDay, formatMoment, formatUtc } from "../time.js";
import { withPayment } from "./events.js";
import { createPaymentsPanel } from "./payments.js";
import { createRosterPanel } from "./roster.js";
import { asPage, emptyState, errorState, skeletons } from "./states.js";

/** @typedef {import("../api.js").Payment} Payment */
/** @typedef {import("../api.js").ScEvent} ScEvent */
/** @typedef {import("../main.js").App} App */

/**
 * @param {HTMLElement} main
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{eventId: string, tab: string}} place
 */
export function showEventDetail(main, app, signal, { eventId, tab }) {
  const load = async () => {
    main.replaceChildren(...skeletons("detail-skeleton-template", 1));
    try {
      const { event, roster } = await app.session.call(() => getEvent(eventId, signal));
      if (!signal.aborted) render(main, app, signal, { event, roster, tab });
    } catch (error) {
      if (signal.aborted) return;
      const gone = error instanceof ProblemError && error.status === 404;
      main.replaceChildren(asPage(gone
        ? emptyState("There is no such event", "Check the address, or look for it in the list of events.")
        : errorState("The event could not be loaded", error, load)));
    }
  };
  document.title = "Event · Ship Captain Crew";
  void load();
}

/**
 * @param {HTMLElement} main
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{event: ScEvent, roster: import("../api.js").Patron[], tab: string}} content
 */
function render(main, app, signal, { event, roster, tab }) {
  const screen = clone("event-detail-template");
  const day = describeDay(event.event_date);
  const money = app.session.maySeeMoney();
  document.title = `${event.name} · Ship Captain Crew`;
  /** @type {HTMLAnchorElement} */ (part(screen, "back")).href = app.addressOf(null);
  // The waiver is one server-rendered page, the same for every copy of this app.
  /** @type {HTMLAnchorElement} */ (part(screen, "waiver")).href = `/g/${encodeURIComponent(event.event_id)}/waiver`;
  fill(screen, { name: event.name, month: day.month, day: day.day, date: day.long, location: event.location, zone: event.timezone.replaceAll("_", " ") });
  const log = part(screen, "log");
  log.hidden = !app.session.mayLog();
  log.addEventListener("click", () => app.modal.open(event, { roster }));

  const tabs = createTabs(screen, (name) => app.keepTab(event.event_id, name));
  const rosterPanel = createRosterPanel(part(screen, "roster-panel"), roster, app.session.mayLog()
    ? (patron) => app.modal.open(event, { roster, patron })
    : null);
  part(screen, "roster-count").textContent = String(roster.length);

  show(screen, "stats", money);
  tabs.offer("payments", money);
  main.replaceChildren(screen);
  if (!money) {
    tabs.select("roster");
    return;
  }
  fillStats(screen, event);
  const payments = createPaymentsPanel(part(screen, "payments-panel"), app, event.event_id, signal, {
    summed: (totals) => rosterPanel.showTotals(totals),
    grew(payment) {
      Object.assign(event, withPayment(event, payment));
      fillStats(screen, event);
    },
  });
  tabs.select(tab === "payments" ? "payments" : "roster");
  document.addEventListener("payment-logged", (occurrence) => {
    const payment = /** @type {CustomEvent<Payment>} */ (occurrence).detail;
    if (payment.event_id !== event.event_id) return;
    payments.add(payment);
    tabs.select("payments");
    app.keepTab(event.event_id, "payments");
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
}

/**
 * ARIA tabs with automatic activation.
 * @param {HTMLElement} screen
 * @param {(name: string) => void} selected by the user
 */
function createTabs(screen, selected) {
  const list = find(screen, "[role=tablist]");
  const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  const offered = () => all.filter((tab) => !tab.hidden);

  /** @param {string} name */
  const select = (name) => {
    for (const tab of all) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      part(screen, `${tab.dataset.tab}-panel`).hidden = !on;
    }
  };

  list.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[role=tab]"));
    if (!tab) return;
    select(tab.dataset.tab ?? "");
    selected(tab.dataset.tab ?? "");
  });
  list.addEventListener("keydown", (event) => {
    const tabs = offered();
    const at = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
  });

  return {
    select,
    /** @param {string} name @param {boolean} shown */
    offer(name, shown) {
      for (const tab of all) if (tab.dataset.tab === name) tab.hidden = !shown;
    },
  };
}
