/**
 * The addresses of the app: the list of events at "/", an event at "/g/{event_id}", and one of its payments or
 * patrons by the query string; the same below /_staging/.
 */

/**
 * @typedef {{name: "events"}
 *   | {name: "event", eventId: string, tab: string}
 *   | {name: "payment", eventId: string, paymentId: string}
 *   | {name: "patron", eventId: string, email: string}
 *   | {name: "unknown"}} Route
 */

const STAGING = "/_staging";

/** @param {string} pathname @returns {string} "" or "/_staging" */
export function basePath(pathname) {
  return pathname === STAGING || pathname.startsWith(`${STAGING}/`) ? STAGING : "";
}

/**
 * @param {string} pathname
 * @param {string} [search] the query string
 * @returns {Route}
 */
export function parseRoute(pathname, search = "") {
  const path = pathname.slice(basePath(pathname).length);
  if (path === "" || path === "/" || path === "/index.html") return { name: "events" };
  const match = /^\/g\/([^/]+)\/?$/.exec(path);
  if (!match) return { name: "unknown" };
  try {
    const eventId = decodeURIComponent(match[1]);
    const query = new URLSearchParams(search);
    const paymentId = query.get("payment");
    if (paymentId) return { name: "payment", eventId, paymentId };
    const email = query.get("patron");
    if (email) return { name: "patron", eventId, email };
    return { name: "event", eventId, tab: query.get("tab") ?? "" };
  } catch {
    return { name: "unknown" }; // a stray % in the address
  }
}

/**
 * @param {string} base from basePath
 * @param {Route} route
 * @returns {string} the address of a screen
 */
export function routePath(base, route) {
  if (!("eventId" in route)) return `${base}/`;
  /** @type {Record<string, string>} */
  const query = route.name === "payment" ? { payment: route.paymentId }
    : route.name === "patron" ? { patron: route.email }
      : route.tab ? { tab: route.tab } : {};
  const search = new URLSearchParams(query).toString();
  return `${base}/g/${encodeURIComponent(route.eventId)}${search && `?${search}`}`;
}

/** @typedef {{navigated: boolean, scroll: number}} Arrival navigated: not the page's first screen; scroll: px */

/**
 * Follows links and the back button within the page.
 * @param {(route: Route, arrival: Arrival) => void} show
 * @param {() => Promise<boolean>} mayLeave false keeps the page where it is (an unsaved payment)
 */
export function startRouter(show, mayLeave) {
  let current = location.href;
  // Screens load their content after they are shown, so the browser would scroll an empty page.
  history.scrollRestoration = "manual";

  /** @param {boolean} navigated */
  const display = (navigated) => {
    current = location.href;
    const scroll = Number(history.state?.scroll ?? 0);
    show(parseRoute(location.pathname, location.search), { navigated, scroll });
  };
  // Kept with the history entry, for the back button and for reload.
  const noteScroll = () => history.replaceState({ scroll: Math.round(scrollY) }, "");
  addEventListener("scrollend", noteScroll);

  /** @param {string} path */
  const navigate = async (path) => {
    if (!(await mayLeave())) return;
    noteScroll();
    history.pushState(null, "", path);
    scrollTo(0, 0);
    display(true);
  };

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-route]"));
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain) return;
    event.preventDefault();
    void navigate(link.pathname + link.search);
  });

  addEventListener("popstate", async () => {
    const wanted = location.href;
    const { state } = history;
    if (wanted === current) return;
    history.replaceState(state, "", current);
    if (!(await mayLeave())) {
      // The history entry that the browser moved to now shows the page that stayed open.
      return;
    }
    history.replaceState(state, "", wanted);
    display(true);
  });

  display(false);
  return {
    navigate,
    /** Records a change within the page (the open tab) in the address, so reloading and sharing keep it. @param {string} path */
    replace(path) {
      history.replaceState(history.state, "", path);
      current = location.href;
    },
  };
}
