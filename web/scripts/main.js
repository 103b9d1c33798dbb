/** The app's start: who is there, what place the address names, and the two kept in step. */

import { find, part } from "./dom.js";
import { createPaymentModal } from "./payment-modal.js";
import { unresolvedPending } from "./pending.js";
import { basePath, parseRoute, routePath, startRouter } from "./router.js";
import { createSession } from "./session.js";
import { toast } from "./toast.js";
import { showEventDetail } from "./views/event-detail.js";
import { showEvents } from "./views/events.js";
import { asPage, emptyState, errorState, explain } from "./views/states.js";

/**
 * What the screens share.
 * @typedef {object} App
 * @property {import("./session.js").Session} session
 * @property {ReturnType<typeof createPaymentModal>} modal
 * @property {(eventId: string | null) => string} addressOf an event's screen; null: the list of events
 * @property {(eventId: string, tab: string) => void} keepTab
 */

const main = find(document, "main");
const base = basePath(location.pathname);
const header = find(document, "header");
let screen = new AbortController();
/** @type {ReturnType<typeof startRouter> | null} */
let router = null;

const session = createSession(() => {
  updateHeader();
  if (router) display(parseRoute(location.pathname, location.search));
});

/** @type {App} */
const app = {
  session,
  modal: createPaymentModal(session, ({ event_id: eventId }) => routePath(base, { name: "event", eventId, tab: "payments" })),
  addressOf: (eventId) => routePath(base, eventId === null ? { name: "events" } : { name: "event", eventId, tab: "" }),
  keepTab: (eventId, tab) => router?.replace(routePath(base, { name: "event", eventId, tab })),
};

/** @param {import("./router.js").Route} route */
function display(route) {
  screen.abort();
  screen = new AbortController();
  if (route.name === "events") showEvents(main, app, screen.signal);
  else if (route.name === "event") showEventDetail(main, app, screen.signal, route);
  else main.replaceChildren(asPage(emptyState("Nothing is here", "This address leads nowhere. The ship’s wheel above leads back to the events.")));
}

function updateHeader() {
  const { user } = session;
  part(header, "account").hidden = user === null;
  part(header, "user-name").textContent = user?.name ?? "";
  part(header, "user-name").title = user?.email ?? "";
  part(header, "tools").hidden = !session.isAdmin();
  part(header, "tools-switch").setAttribute("aria-checked", String(session.adminTools));
}

function updateOffline() {
  find(document, "#offline").hidden = navigator.onLine;
}

async function start() {
  try {
    await session.start();
  } catch (error) {
    main.replaceChildren(asPage(errorState("The server cannot be reached", error, () => void start())));
    return;
  }
  router ??= startRouter(display, app.modal.leave);
  const unresolved = session.user && session.isAdmin() ? unresolvedPending(session.user.email) : null;
  if (unresolved) app.modal.resume(unresolved);
}

/** @type {HTMLAnchorElement} */ (part(header, "home")).href = app.addressOf(null);
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
