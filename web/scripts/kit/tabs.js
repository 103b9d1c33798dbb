/** ARIA tabs with automatic activation (WAI-ARIA Authoring Practices, "Tabs"). */

import { find, part } from "./dom.js";

/**
 * @param {HTMLElement} screen holds one tablist, and a panel `data-part="{name}-panel"` for each `data-tab="{name}"`
 * @param {(name: string) => void} selected by the user
 */
export function createTabs(screen, selected) {
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
