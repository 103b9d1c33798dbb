/**
 * Parts that few visits need (a patron's history, a payment's page, voiding, exports) load on demand, so a phone
 * at the dock loads only the list and the payment form.
 */

import { getMarkup } from "./server/api.js";

/** @type {Promise<unknown> | null} */
let arriving = null;

/**
 * @template T
 * @param {() => Promise<T>} load imports the module
 * @returns {Promise<T>} the module, with its markup and styles in the page
 */
export async function onDemand(load) {
  arriving ??= Promise.all([loadMarkup(), loadStyles()]);
  try {
    const [module] = await Promise.all([load(), arriving]);
    return module;
  } catch (error) {
    arriving = null; // the next try may succeed
    throw error;
  }
}

/**
 * @template T
 * @param {() => Promise<T>} make
 * @returns {() => Promise<T>} makes it on the first call; tries again after a failure
 */
export function once(make) {
  /** @type {Promise<T> | null} */
  let made = null;
  return () => {
    made ??= make().catch((error) => {
      made = null;
      throw error;
    });
    return made;
  };
}

async function loadMarkup() {
  if (document.querySelector("#void-dialog")) return;
  // Our own file, parsed as a separate page; nothing in it comes from data.
  const page = new DOMParser().parseFromString(await getMarkup("more.html"), "text/html");
  document.body.append(...page.body.children);
}

function loadStyles() {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "styles/more.css";
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error("A part of the app could not be loaded."));
    });
    document.head.append(link);
  });
}
