/** The list of events: one card each. */

import { listEvents } from "../api.js";
import { clone, fill, find, part, setTime, show } from "../dom.js";
import { centsOf, decimal, formatCents } from "../money.js";
import { describeDay, formatMoment, formatUtc, localDay } from "../time.js";
import { emptyState, errorState, explain, skeletons } from "./states.js";

/** @typedef {import("../api.js").ScEvent} ScEvent */
/** @typedef {import("../api.js").Payment} Payment */
/** @typedef {import("../main.js").App} App */

/** @param {HTMLElement} main @param {App} app @param {AbortSignal} signal aborted when the screen is left */
export function showEvents(main, app, signal) {
  const screen = clone("events-template");
  const cards = part(screen, "cards");
  const more = /** @type {HTMLButtonElement} */ (part(screen, "more"));
  const moreError = part(screen, "more-error");
  /** @type {Map<string, {event: ScEvent, card: HTMLElement}>} */
  const shown = new Map();
  /** @type {string | null} */
  let cursor = null;
  document.title = "Events · Ship Captain Crew";
  main.replaceChildren(screen);

  const load = async () => {
    cards.replaceChildren(...skeletons("event-skeleton-template", 6));
    cards.setAttribute("aria-busy", "true");
    try {
      const page = await app.session.call(() => listEvents(null, signal));
      cards.replaceChildren();
      append(page);
      if (shown.size === 0) cards.append(emptyState("No events yet", "Chartered events appear here once they are planned."));
    } catch (error) {
      if (!signal.aborted) cards.replaceChildren(errorState("The events could not be loaded", error, load));
    } finally {
      cards.removeAttribute("aria-busy");
    }
  };

  /** @param {{events: ScEvent[], cursor: string | null}} page */
  const append = (page) => {
    cursor = page.cursor;
    more.hidden = !cursor;
    for (const event of page.events) {
      const card = createCard(event, app);
      shown.set(event.event_id, { event, card });
      cards.append(card);
    }
    const number = `${shown.size}${cursor ? "+" : ""} ${shown.size === 1 ? "event" : "events"}`;
    part(screen, "count").textContent = shown.size ? `${number}, newest first` : "";
  };

  more.addEventListener("click", async () => {
    if (more.classList.contains("busy")) return;
    more.classList.add("busy");
    moreError.textContent = "";
    try {
      append(await app.session.call(() => listEvents(cursor, signal)));
    } catch (error) {
      if (!signal.aborted) moreError.textContent = explain(error);
    }
    more.classList.remove("busy");
  });

  document.addEventListener("payment-logged", (occurrence) => {
    const payment = /** @type {CustomEvent<Payment>} */ (occurrence).detail;
    const entry = shown.get(payment.event_id);
    if (!entry?.event.total) return;
    Object.assign(entry.event, withPayment(entry.event, payment));
    fillMoney(entry.card, entry.event);
  }, { signal });

  void load();
}

/**
 * The event's sums after one more payment, or after one was voided.
 * @param {ScEvent} event
 * @param {Payment} payment
 */
export function withPayment(event, payment) {
  const sign = payment.kind === "void" ? -1 : 1;
  return {
    payments_count: (event.payments_count ?? 0) + sign,
    total: decimal(centsOf(event.total ?? "0.00") + sign * payment.amount_cents),
    last_payment_at: payment.logged_at,
  };
}

/** @param {ScEvent} event @param {App} app */
function createCard(event, app) {
  const card = clone("event-card-template");
  const day = describeDay(event.event_date);
  const link = /** @type {HTMLAnchorElement} */ (find(card, "a"));
  link.href = app.addressOf(event.event_id);
  link.id = `event-${event.event_id}`;
  fill(card, {
    name: event.name,
    month: day.month,
    day: day.day,
    date: day.long,
    location: event.location,
    roster: `${event.roster_size} on the roster`,
  });
  show(card, "today", event.event_date === localDay(Date.now()));
  const money = app.session.maySeeMoney() && event.total !== undefined;
  show(card, "money", money);
  if (money) fillMoney(card, event);
  const log = part(card, "log");
  log.hidden = !app.session.mayLog();
  log.setAttribute("aria-describedby", link.id);
  log.addEventListener("click", () => app.modal.open(event));
  return card;
}

/** @param {HTMLElement} card @param {ScEvent} event */
function fillMoney(card, event) {
  const count = event.payments_count ?? 0;
  fill(card, {
    total: formatCents(centsOf(event.total ?? "0.00")),
    payments: count === 1 ? "1 payment" : `${count} payments`,
  });
  const last = /** @type {HTMLTimeElement} */ (part(card, "last"));
  last.hidden = !event.last_payment_at;
  if (event.last_payment_at) {
    setTime(last, event.last_payment_at, `last ${formatMoment(event.last_payment_at)}`, formatUtc(event.last_payment_at));
  }
}
