/** What every dialog that sends a write shows of its phase. */

import { find, part } from "../kit/dom.js";

/**
 * @param {HTMLElement} form
 * @param {import("./life-cycle.js").Phase} phase
 * @param {string} submitLabel
 */
export function showPhase(form, phase, submitLabel) {
  const submitting = phase === "submitting";
  form.dataset.phase = phase;
  form.setAttribute("aria-busy", String(submitting));
  /** @type {HTMLFieldSetElement} */ (part(form, "fields")).disabled = phase !== "editing";
  // A form with locked fields must still be readable, also by keyboard when it has to scroll.
  const body = find(form, ".dialog-body");
  if (phase === "editing") body.removeAttribute("tabindex");
  else body.tabIndex = 0;
  for (const panel of form.querySelectorAll("[data-phase-panel]")) {
    /** @type {HTMLElement} */ (panel).hidden = panel.getAttribute("data-phase-panel") !== phase;
  }
  const submit = find(form, "[type=submit]");
  submit.hidden = phase !== "editing" && !submitting;
  submit.classList.toggle("busy", submitting);
  submit.setAttribute("aria-disabled", String(submitting));
  part(submit, "label").textContent = submitLabel;
  const cancel = /** @type {HTMLButtonElement} */ (part(form, "cancel"));
  cancel.hidden = phase === "duplicate";
  cancel.disabled = submitting;
  cancel.textContent = phase === "ended" ? "Close" : "Cancel";
}
