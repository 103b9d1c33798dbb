/** The app's start: who is signed in, which screen the address names, and keeping the two in step. */

import { find, part } from "./kit/dom.js";
import { toast } from "./kit/toast.js";
import { createPaymentDialog } from "./log-payment/dialog.js";
import { onDemand, once } from "./more.js";
import { basePath, parseRoute, routePath, startRouter } from "./router.js";
import { showEventDetail } from "./screens/event.js";
import { showEvents } from "./screens/events.js";
import { asPage, emptyState, errorState, explain, hiddenMoney, skeletons } from "./screens/states.js";
import { pendingPayment, pendingVoid } from "./sending/pending.js";
import { createSession } from "./session/session.js";

/** @typedef {import("./router.js").Route} Route */

const main = find(document, "main");
const base = basePath(location.pathname);
const header = find(document, "header");
let leaving = new AbortController();
let wantsFocus = false;
let wantedScroll = 0;
/** @type {ReturnType<typeof startRouter> | null} */
let router = null;

const addressOf = (/** @type {Route} */ route) => routePath(base, route);
const session = createSession(() => {
  updateHeader();
  if (router) display(parseRoute(location.pathname, location.search), { navigated: false, scroll: scrollY });
});

const addressOfPayment = (/** @type {Payment} */ { event_id: eventId, payment_id: paymentId }) =>
  addressOf({ name: "payment", eventId, paymentId });
const voiding = once(async () => (await onDemand(() => import("./void/dialog.js"))).createVoidDialog(session, addressOfPayment));
const exporting = once(async () => (await onDemand(() => import("./screens/export.js"))).createExportDialog(session));

const logging = createPaymentDialog(session, ({ event_id: eventId }) => addressOf({ name: "event", eventId, tab: "payments" }));

/** @type {App} */
const app = {
  session,
  startLog: logging.open,
  startVoid: (payment, known) => attempt(async () => (await here(voiding))?.open(payment, known)),
  downloadEvent: (button, eventId, signal) => attempt(async () =>
    (await onDemand(() => import("./screens/export.js"))).downloadEvent(session, button, eventId, signal)),
  startExport: () => attempt(async () => (await here(exporting))?.open()),
  doubtfulRows: () => onDemand(() => import("./screens/doubtful-rows.js")),
  addressOf,
  keepPlace: (route) => router?.replace(addressOf(route)),
  present(screen) {
    wantsFocus ||= main.contains(document.activeElement); // or it would be lost with the old screen
    main.replaceChildren(screen);
    const title = screen.matches("h1") ? screen : screen.querySelector("h1, [aria-level='1']");
    if (!(title instanceof HTMLElement)) return;
    title.tabIndex = -1;
    if (!wantsFocus) return;
    wantsFocus = false;
    // Screen readers announce the new screen, unless the user has moved on to the header meanwhile.
    if (document.activeElement !== document.body && document.activeElement !== main) return;
    title.focus({ preventScroll: true });
  },
  settled() {
    if (wantedScroll) scrollTo(0, wantedScroll);
    wantedScroll = 0;
  },
};

/** @param {Route} route @param {import("./router.js").Arrival} arrival */
function display(route, { navigated, scroll }) {
  leaving.abort();
  leaving = new AbortController();
  wantsFocus = navigated;
  wantedScroll = scroll;
  if (navigated) main.focus({ preventScroll: true });
  const { signal } = leaving;
  if (route.name === "events") showEvents(app, signal);
  else if (route.name === "event") showEventDetail(app, signal, route);
  else if (route.name === "unknown") showNothing();
  else if (!session.maySeeMoney()) app.present(hiddenMoney(session));
  else void showMore(route, signal);
}

/** @param {Extract<Route, {name: "payment" | "patron"}>} route @param {AbortSignal} signal */
async function showMore(route, signal) {
  app.present(skeletons("detail-skeleton-template", 1)[0]);
  try {
    const [payment, patron] = await onDemand(() => Promise.all([import("./screens/payment.js"), import("./screens/patron.js")]));
    if (signal.aborted) return;
    if (route.name === "payment") payment.showPayment(app, signal, route);
    else patron.showPatron(app, signal, route);
  } catch (error) {
    // A module that failed to load keeps failing until the page is reloaded.
    if (!signal.aborted) app.present(asPage(errorState("This part of the app could not be loaded", error, () => location.reload())));
  }
}

/** @template T @param {() => Promise<T>} load @returns {Promise<T | null>} null if the screen was left meanwhile */
async function here(load) {
  const { signal } = leaving;
  const part = await load();
  return signal.aborted ? null : part;
}

/** @param {() => Promise<void>} open */
async function attempt(open) {
  try {
    await open();
  } catch (error) {
    toast({ title: "This part of the app could not be loaded", text: explain(error), tone: "problem" });
  }
}

function showNothing() {
  document.title = "Page not found · Ship Captain Crew";
  app.present(asPage(emptyState("Page not found", "There is nothing at this address. Use the ship’s wheel above to return to the events.")));
}

function updateHeader() {
  const { user } = session;
  part(header, "account").hidden = user === null;
  part(header, "user-name").textContent = user?.name ?? "";
  part(header, "user-name").title = user?.email ?? "";
  part(header, "tools").hidden = !session.hasAdminTools();
  part(header, "tools-switch").setAttribute("aria-checked", String(session.adminTools));
}

function updateOffline() {
  find(document, "#offline").hidden = navigator.onLine;
}

/** @returns {Promise<boolean>} false while a dialog keeps the page where it is */
async function mayLeave() {
  if (!(await logging.leave())) return false;
  if (document.querySelector("#export-dialog[open]")) (await exporting()).leave();
  return document.querySelector("#void-dialog[open]") === null || (await voiding()).leave();
}

async function start() {
  try {
    await session.start();
  } catch (error) {
    app.present(asPage(errorState("The server cannot be reached", error, () => void start())));
    return;
  }
  router ??= startRouter(display, mayLeave);
  if (!session.user || !session.hasAdminTools()) return;
  const payment = pendingPayment.unresolved(session.user.email);
  if (payment) void logging.resume(payment);
  const voided = pendingVoid.unresolved(session.user.email);
  if (voided) void attempt(async () => (await voiding()).resume(voided));
}

/** @type {HTMLAnchorElement} */ (part(header, "home")).href = addressOf({ name: "events" });
part(header, "tools-switch").addEventListener("click", () => session.setAdminTools(!session.adminTools));
part(header, "sign-out").addEventListener("click", async () => {
  try {
    await session.leave();
  } catch (error) {
    toast({ title: "You are still signed in", text: explain(error), tone: "problem" });
  }
});
find(document, "#skip").addEventListener("click", (event) => {
  event.preventDefault(); // with a <base>, "#main" would lead to another page
  main.focus();
});
addEventListener("online", updateOffline);
addEventListener("offline", updateOffline);
updateOffline();
void start();
