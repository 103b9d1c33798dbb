/** One entry of the ledger: its details, its audit mail, and its place in the hash chain. */

import { auditTrail } from "../entries/audit-trail.js";
import { isUnsettled, watchAudit } from "../entries/audit-watch.js";
import { fillCompare } from "../entries/compare.js";
import { differences, linksOf } from "../entries/links.js";
import { labelOf } from "../entries/methods.js";
import { updateChip } from "../entries/row.js";
import { entryNumber, kindOf, reasonOf, signedAmount } from "../entries/words.js";
import { clone, fill, find, part, setTime, show } from "../kit/dom.js";
import { formatCents } from "../kit/money.js";
import { describeDay, formatFull, formatUtc } from "../kit/time.js";
import { toast } from "../kit/toast.js";
import { ProblemError, serverNow } from "../server/api-fetch.js";
import { getPayment, listPayments } from "../server/api.js";
import { asPage, emptyState, errorState, leadingTo, skeletons } from "./states.js";

/** @typedef {{payment: Payment, links: ReturnType<typeof linksOf>, duplicates: Payment[]}} Content */

const NEIGHBORS = 100;

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {{eventId: string, paymentId: string}} place
 */
export function showPayment(app, signal, { eventId, paymentId }) {
  document.title = "Payment · Ship Captain Crew";
  let knownVoid = /** @type {string | null | undefined} */ (null);

  const load = async (quietly = false) => {
    if (!quietly) app.present(skeletons("detail-skeleton-template", 1)[0]);
    try {
      const content = await app.session.call(() => read(paymentId, signal));
      if (signal.aborted) return;
      knownVoid = content.payment.voided_by;
      if (content.payment.event_id !== eventId) {
        app.keepPlace({ name: "payment", eventId: content.payment.event_id, paymentId });
      }
      render(app, content);
      app.settled();
      if (isUnsettled(content.payment)) watch.soon();
    } catch (error) {
      if (signal.aborted || quietly) return;
      const final = finalState(error);
      app.present(asPage(final
        ? leadingTo(final, "The event’s payments", app.addressOf({ name: "event", eventId, tab: "payments" }))
        : errorState("The payment could not be loaded", error, () => void load())));
    }
  };

  const watch = watchAudit(async () => {
    const payment = await getPayment(paymentId, signal);
    if (payment.voided_by !== knownVoid) await load(true);
    const screen = document.querySelector(`[data-payment-id="${payment.payment_id}"]`);
    if (screen instanceof HTMLElement) fillAudit(screen, payment);
    return isUnsettled(payment);
  }, signal);

  document.addEventListener("payment-logged", (occurrence) => {
    const logged = /** @type {CustomEvent<Payment>} */ (occurrence).detail;
    if (logged.voids === paymentId) void load(true);
  }, { signal });
  void load();
}

/** What no second try changes. @param {unknown} error */
function finalState(error) {
  if (!(error instanceof ProblemError)) return null;
  if (/_(expired|gone)/.test(error.fields[0]?.code ?? "")) return emptyState("This payment is gone", error.message);
  if (error.status === 404) {
    return emptyState("There is no such payment", "Check the address, or look for it among the event’s payments.");
  }
  return error.code === "unreadable" ? emptyState("This entry is not as it was written", error.message) : null;
}

/** @param {string} paymentId @param {AbortSignal} signal @returns {Promise<Content>} */
async function read(paymentId, signal) {
  const payment = await getPayment(paymentId, signal);
  const { voids, refunds, corrects, voided_by: voidedBy } = payment;
  const named = [voids, refunds, corrects, voidedBy, ...(payment.acknowledged_duplicates ?? [])];
  const ids = /** @type {string[]} */ (named.filter(Boolean));
  const [page, ...found] = await Promise.allSettled([
    // An old entry's neighbors are not on the first page; the entry is complete without them.
    listPayments(payment.event_id, { limit: NEIGHBORS, signal }).then(({ payments }) => payments),
    ...ids.map((id) => getPayment(id, signal)),
  ]);
  const others = found.flatMap((each) => (each.status === "fulfilled" ? [/** @type {Payment} */ (each.value)] : []));
  const neighbors = page.status === "fulfilled" ? /** @type {Payment[]} */ (page.value) : [];
  return {
    payment,
    links: linksOf(payment, [...neighbors, ...others]),
    duplicates: others.filter(({ payment_id: id }) => payment.acknowledged_duplicates?.includes(id)),
  };
}

/** @param {App} app @param {Content} content */
function render(app, { payment, links, duplicates }) {
  const screen = clone("payment-template");
  const { event_id: eventId, payment_id: paymentId, patron_email: email } = payment;
  const number = entryNumber(payment.seq);
  screen.dataset.paymentId = paymentId;
  screen.classList.toggle("voided", Boolean(payment.voided_by));
  document.title = `${number} · ${payment.event_name} · Ship Captain Crew`;

  fill(screen, {
    event: payment.event_name,
    number: `${kindOf(payment)} ${number}`,
    amount: signedAmount(payment),
    method: labelOf(payment.method),
    patron: payment.patron_name,
    email,
    "event-name": payment.event_name,
    "event-date": describeDay(payment.event_date).long,
    "method-name": labelOf(payment.method),
    reference: payment.reference || "—",
    note: payment.note || "—",
    by: payment.logged_by,
    "payment-id": paymentId,
    seq: String(payment.seq),
    hash: payment.hash,
    "prev-hash": payment.prev_hash,
  });
  const href = (/** @type {string} */ name, /** @type {import("../router.js").Route} */ route) => {
    /** @type {HTMLAnchorElement} */ (part(screen, name)).href = app.addressOf(route);
  };
  href("back", { name: "event", eventId, tab: "payments" });
  href("history", { name: "patron", eventId, email });
  href("event-link", { name: "event", eventId, tab: "payments" });
  fillTime(part(screen, "captured"), payment.timestamp);
  fillTime(part(screen, "logged"), payment.logged_at);
  fillTies(screen, app, { payment, links, duplicates });
  fillAudit(screen, payment);
  part(screen, "first").hidden = payment.seq !== 1;
  part(screen, "previous").hidden = !links.previous;
  if (links.previous) pointTo(part(screen, "previous"), links.previous, app);

  const button = part(screen, "void");
  button.hidden = !app.session.mayLog() || payment.kind !== "payment" || Boolean(payment.voided_by);
  button.addEventListener("click", () => app.startVoid(payment));
  for (const copy of screen.querySelectorAll("button[data-copy]")) {
    copy.addEventListener("click", () => copyText(/** @type {HTMLButtonElement} */ (copy), screen));
  }
  app.present(screen);
}

/** Shows how this entry is related to others. @param {HTMLElement} screen @param {App} app @param {Content} content */
function fillTies(screen, app, { payment, links, duplicates }) {
  const { voided, original, correction, corrects, refunds } = links;

  show(screen, "voided", Boolean(payment.voided_by));
  if (payment.voided_by) {
    const words = voided ? [reasonOf(voided), voided.note, `by ${voided.logged_by}`, formatFull(voided.logged_at)] : [];
    fill(screen, { "voided-why": words.filter(Boolean).join(" · ") });
    pointTo(part(screen, "voided-link"), voided ?? { ...payment, payment_id: payment.voided_by, seq: 0 }, app);
  }
  show(screen, "reason", payment.kind !== "payment");
  fill(screen, { "reason-text": reasonOf(payment) });
  const about = payment.refunds ?? payment.corrects;
  show(screen, "tie", Boolean(about));
  if (about) {
    fill(screen, { "tie-label": payment.refunds ? "Refunds" : "Replaces" });
    pointTo(part(screen, "tie-link"), refunds ?? corrects ?? { ...payment, payment_id: about, seq: 0 }, app);
  }

  const before = payment.kind === "void" ? original : corrects;
  const after = payment.kind === "void" ? correction : corrects ? payment : null;
  show(screen, "change", before !== null);
  if (before) fillChange(part(screen, "change"), before, after, app);
  const replaced = voided ? correction : null;
  show(screen, "corrected", replaced !== null);
  if (replaced) pointTo(part(screen, "corrected-link"), replaced, app);

  show(screen, "duplicates", duplicates.length > 0);
  part(screen, "duplicate-list").replaceChildren(...duplicates.map((entry) => {
    const item = clone("tie-template");
    pointTo(find(item, "a"), entry, app);
    fill(item, { what: `${formatCents(entry.amount_cents)} ${labelOf(entry.method)} · ${entry.patron_name}` });
    return item;
  }));
}

/**
 * @param {HTMLElement} table
 * @param {Payment} before
 * @param {Payment | null} after null when nothing replaced it
 * @param {App} app
 */
function fillChange(table, before, after, app) {
  const lines = differences(before, after);
  pointTo(part(table, "before-link"), before, app);
  show(table, "after-link", after !== null);
  if (after) pointTo(part(table, "after-link"), after, app);
  show(table, "after-none", after === null);
  fillCompare(part(table, "compare-rows"), lines);
}

/** @param {HTMLElement} screen @param {Payment} payment */
function fillAudit(screen, payment) {
  updateChip(part(screen, "audit"), payment, serverNow());
  const trail = part(screen, "trail");
  const steps = auditTrail(payment, serverNow());
  const said = JSON.stringify(steps);
  if (trail.dataset.said === said) return;
  trail.dataset.said = said;
  trail.replaceChildren(...steps.map(({ title, at, text, detail, tone }) => {
    const step = clone("step-template");
    step.dataset.tone = tone;
    fill(step, { title, text, detail });
    for (const [name, words] of [["text", text], ["detail", detail]]) show(step, name, words !== "");
    const time = find(step, "time");
    time.hidden = at === null;
    if (at !== null) setTime(/** @type {HTMLTimeElement} */ (time), at, formatFull(at), formatUtc(at));
    return step;
  }));
}

/** @param {HTMLElement} place @param {number} ms */
function fillTime(place, ms) {
  setTime(/** @type {HTMLTimeElement} */ (find(place, "time")), ms, formatFull(ms), formatUtc(ms));
  fill(place, { utc: formatUtc(ms) });
}

/** @param {HTMLElement} link @param {Pick<Payment, "event_id" | "payment_id" | "seq">} entry @param {App} app */
function pointTo(link, { event_id: eventId, payment_id: paymentId, seq }, app) {
  /** @type {HTMLAnchorElement} */ (link).href = app.addressOf({ name: "payment", eventId, paymentId });
  link.textContent = seq ? entryNumber(seq) : "another entry";
}

/** @param {HTMLButtonElement} button @param {HTMLElement} screen */
async function copyText(button, screen) {
  const name = button.dataset.copy ?? "";
  const text = find(screen, `[data-text="${name}"]`).textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    button.classList.add("done");
    find(screen, "[data-part=copied]").textContent = "Copied";
    setTimeout(() => button.classList.remove("done"), 1_600);
  } catch {
    toast({ title: "Couldn’t copy", text: "Your browser doesn’t allow copying here. Select the text and copy it yourself.", tone: "problem" });
  }
}
