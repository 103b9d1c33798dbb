/** Two places: the list of events at "/", one event at "/g/{event_id}"; the same below /_staging/. */

/** @typedef {{name: "events"} | {name: "event", eventId: string, tab: string} | {name: "unknown"}} Route */

const STAGING = "/_staging";

/** @param {string} pathname @returns {string} "" or "/_staging" */
export function basePath(pathname) {
  return pathname === STAGING || pathname.startsWith(`${STAGING}/`) ? STAGING : "";
}

/**
 * @param {string} pathname
 * @param {string} [search] the query string; `tab` keeps the open tab of an event
 * @returns {Route}
 */
export function parseRoute(pathname, search = "") {
  const path = pathname.slice(basePath(pathname).length);
  if (path === "" || path === "/" || path === "/index.html") return { name: "events" };
  const match = /^\/g\/([^/]+)\/?$/.exec(path);
  if (!match) return { name: "unknown" };
  try {
    const eventId = decodeURIComponent(match[1]);
    return { name: "event", eventId, tab: new URLSearchParams(search).get("tab") ?? "" };
  } catch {
    return { name: "unknown" }; // a stray % in the address
  }
}

/**
 * @param {string} base from basePath
 * @param {Route} route
 * @returns {string} the address of a place
 */
export function routePath(base, route) {
  if (route.name !== "event") return `${base}/`;
  const tab = route.tab ? `?tab=${encodeURIComponent(route.tab)}` : "";
  return `${base}/g/${encodeURIComponent(route.eventId)}${tab}`;
}

/**
 * Follows links and the back button within the page.
 * @param {(route: Route) => void} show
 * @param {() => Promise<boolean>} mayLeave false keeps the page where it is (an unsaved payment)
 */
export function startRouter(show, mayLeave) {
  let current = location.href;

  const display = () => {
    current = location.href;
    show(parseRoute(location.pathname, location.search));
  };

  /** @param {string} path */
  const navigate = async (path) => {
    if (!(await mayLeave())) return;
    history.pushState(null, "", path);
    display();
    scrollTo(0, 0);
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
    if (wanted === current) return;
    history.replaceState(null, "", current);
    if (!(await mayLeave())) {
      // The entry the browser moved to now shows the page that stayed open.
      return;
    }
    history.replaceState(null, "", wanted);
    display();
  });

  display();
  return {
    navigate,
    /** Notes a change within the page (the open tab), so that reload and sharing keep it. @param {string} path */
    replace(path) {
      history.replaceState(null, "", path);
      current = location.href;
    },
  };
}
