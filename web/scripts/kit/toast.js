/** Short messages about what was done. They appear above an open dialog and stay while someone reads them. */

import { clone, fill, find, show } from "./dom.js";

const LIFETIME_MS = 9_000;

/**
 * @param {{title: string, text?: string, tone?: "success" | "problem", href?: string, linkText?: string}} message
 */
export function toast({ title, text = "", tone = "success", href, linkText = "" }) {
  const shelf = find(document, "#toasts");
  const item = clone("toast-template");
  item.dataset.tone = tone;
  fill(item, { title, text });
  show(item, "text", text !== "");
  const link = /** @type {HTMLAnchorElement} */ (find(item, "a"));
  link.hidden = href === undefined;
  if (href !== undefined) {
    link.href = href;
    link.textContent = linkText;
  }
  let timer = 0;
  const dismiss = () => {
    clearTimeout(timer);
    item.remove();
    if (shelf.childElementCount === 0) shelf.hidePopover();
  };
  const rest = () => {
    clearTimeout(timer);
    timer = setTimeout(dismiss, LIFETIME_MS);
  };
  find(item, "button").addEventListener("click", dismiss);
  link.addEventListener("click", dismiss);
  for (const event of ["pointerenter", "focusin"]) item.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"]) item.addEventListener(event, rest);
  // Hidden and shown again each time, so that it comes above a dialog opened since.
  if (shelf.matches(":popover-open")) shelf.hidePopover();
  shelf.showPopover();
  shelf.append(item);
  rest();
}
