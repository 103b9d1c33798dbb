/** The list of events: one card each. */

import { watchAudit } from "../entries/audit-watch.js";
import { mailTrouble, methodShares, withPayment } from "../entries/event-sums.js";
import { clone, fill, find, part, setTime, show } from "../kit/dom.js";
import { centsOf, formatCents } from "../kit/money.js";
import { fold } from "../kit/text.js";
import { describeDay, formatMoment, formatUtc, localDay } from "../kit/time.js";
import { listEvents } from "../server/api.js";
import { emptyState, errorState, explain, skeletons } from "./states.js";


const WORTH_FILTERING = 5;

/** @param {App} app @param {AbortSignal} signal aborted when the screen is left */
export function showEvents(app, signal) {
  const screen = clone("events-template");
  const cards = part(screen, "cards");
  const more = /** @type {HTMLButtonElement} */ (part(screen, "more"));
  const moreError = part(screen, "more-error");
  const filter = /** @type {HTMLInputElement} */ (find(screen, "input[type=search]"));
  const none = part(screen, "none");
  /** @type {Map<string, {event: ScEvent, card: HTMLElement}>} */
  const shown = new Map();
  /** @type {string | null} */
  let cursor = null;
  document.title = "Events · Ship Captain Crew";
  const exporting = part(screen, "export");
  exporting.hidden = !app.session.maySeeMoney();
  exporting.addEventListener("click", () => app.startExport());
  app.present(screen);

  const load = async () => {
    cards.replaceChildren(...skeletons("event-skeleton-template", 6));
    cards.setAttribute("aria-busy", "true");
    try {
      const page = await app.session.call(() => listEvents(null, signal));
      if (signal.aborted) return;
      cards.replaceChildren();
      append(page);
      if (shown.size === 0) cards.append(emptyState("No events yet", "Events appear here once they are scheduled."));
      app.settled();
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
    part(screen, "filter").hidden = shown.size < WORTH_FILTERING;
    narrow();
  };

  const narrow = () => {
    const words = fold(filter.value).split(/\s+/).filter(Boolean);
    let matching = 0;
    for (const { event, card } of shown.values()) {
      const text = fold(`${event.name} ${event.location} ${event.event_date} ${describeDay(event.event_date).long}`);
      card.hidden = !words.every((word) => text.includes(word));
      if (!card.hidden) matching += 1;
    }
    const all = `${shown.size}${cursor ? "+" : ""}`;
    part(screen, "count").textContent = words.length
      ? `${matching} of ${all} events`
      : shown.size ? `${all} ${shown.size === 1 ? "event" : "events"}, newest first` : "";
    none.replaceChildren(...(words.length && matching === 0
      ? [emptyState("No match", cursor ? "None of the events shown match. Show more to include older ones." : "No event has that name, place or date.")]
      : []));
  };
  filter.addEventListener("input", narrow);

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

  // Payments that other admins log appear here too.
  if (app.session.maySeeMoney()) watchAudit(async () => {
    if (shown.size === 0) return false;
    for (const event of (await listEvents(null, signal)).events) {
      const entry = shown.get(event.event_id);
      if (!entry) continue;
      Object.assign(entry.event, { audit: undefined }, event);
      fillMoney(entry.card, entry.event);
    }
    return false;
  }, signal);

  void load();
}

/** @param {ScEvent} event @param {App} app */
function createCard(event, app) {
  const card = clone("event-card-template");
  const day = describeDay(event.event_date);
  const link = /** @type {HTMLAnchorElement} */ (find(card, "a"));
  link.href = app.addressOf({ name: "event", eventId: event.event_id, tab: "" });
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
  for (const name of ["money", "trouble", "methods"]) show(card, name, money);
  if (money) fillMoney(card, event);
  const log = part(card, "log");
  log.hidden = !app.session.mayLog();
  log.setAttribute("aria-describedby", link.id);
  log.addEventListener("click", () => app.startLog(event));
  return card;
}

/** @param {HTMLElement} card @param {ScEvent} event */
function fillMoney(card, event) {
  const count = event.payments_count ?? 0;
  fill(card, {
    total: formatCents(centsOf(event.total ?? "0.00")),
    payments: count === 1 ? "1 payment" : `${count} payments`,
  });
  const shares = methodShares(event);
  const methods = part(card, "methods");
  methods.hidden = shares.length === 0;
  methods.textContent = shares.map(({ name, amount }) => `${name}\u00a0${amount}`).join(" · ");
  const trouble = mailTrouble(event);
  const badge = part(card, "trouble");
  badge.hidden = trouble === null;
  badge.textContent = trouble?.text ?? "";
  badge.dataset.tone = trouble?.tone;
  const last = /** @type {HTMLTimeElement} */ (part(card, "last"));
  last.hidden = !event.last_payment_at;
  if (event.last_payment_at) {
    setTime(last, event.last_payment_at, `last ${formatMoment(event.last_payment_at)}`, formatUtc(event.last_payment_at));
  }
}
