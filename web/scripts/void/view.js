/** The void dialog on screen: update() shows the whole state; what the user does goes to the handlers. */

import { fillCompare } from "../entries/compare.js";
import { createMethodTiles } from "../entries/method-tiles.js";
import { labelOf } from "../entries/methods.js";
import { REASONS, describePayment, entryNumber } from "../entries/words.js";
import { createAmountField } from "../kit/amount-field.js";
import { fill, find, part } from "../kit/dom.js";
import { formatCents } from "../kit/money.js";
import { formatMoment } from "../kit/time.js";
import { FIELD_ORDER, viewOf } from "../log-payment/form.js";
import { createPatronField } from "../roster/patron-field.js";
import { showPhase } from "../sending/phase-view.js";
import { changes, outcome } from "./form.js";

/** @typedef {import("./form.js").VoidState} VoidState */
/** @typedef {import("../log-payment/form.js").FormState} FormState */
/** @typedef {import("../log-payment/form.js").Field} Field */

/** @type {Record<string, string>} the element that takes the focus for a field */
const CONTROLS = {
  reason: "#void-reason",
  note: "#void-note",
  "correction.patron": "#void-patron",
  "correction.amount": "#void-amount",
  "correction.method": "#void-methods",
  "correction.reference": "#void-reference",
};

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} handlers
 * @param {() => readonly Patron[] | null} handlers.roster
 * @param {(reason: string) => void} handlers.reasoned
 * @param {(change: Partial<VoidState>) => void} handlers.edited
 * @param {(change: Partial<FormState>) => void} handlers.corrected
 * @param {() => void} handlers.submitted
 */
export function createVoidView(dialog, handlers) {
  const form = find(dialog, "form");
  const reason = /** @type {HTMLSelectElement} */ (find(form, "#void-reason"));
  const note = /** @type {HTMLTextAreaElement} */ (find(form, "#void-note"));
  const correcting = /** @type {HTMLInputElement} */ (find(form, "#void-correcting"));
  const reference = /** @type {HTMLInputElement} */ (find(form, "#void-reference"));
  const amount = createAmountField(/** @type {HTMLInputElement} */ (find(form, "#void-amount")), {
    edited: (amountText) => handlers.corrected({ amountText }),
  });
  const methods = createMethodTiles(find(form, "#void-methods"), "void-method", (method) => handlers.corrected({ method }));
  reason.append(...Object.entries(REASONS).map(([value, text]) => new Option(text, value)));
  const patronField = createPatronField(part(form, "patron"), {
    roster: handlers.roster,
    aside: () => "",
    changed: (patron, patronText) => handlers.corrected({ patron, patronText }),
  });

  reason.addEventListener("change", () => handlers.reasoned(reason.value));
  note.addEventListener("input", () => handlers.edited({ note: note.value }));
  correcting.addEventListener("change", () => handlers.edited({ correcting: correcting.checked }));
  reference.addEventListener("input", () => handlers.corrected({ reference: reference.value }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.submitted();
  });

  return {
    patronField,

    /** Writes the state into the fields, only when the form opens and never while someone types. @param {VoidState} state */
    reset({ payment, reason: chosen, note: words, correcting: on, correction }) {
      fill(dialog, {
        title: `Void ${entryNumber(payment.seq)}`,
        event: payment.event_name,
        amount: formatCents(payment.amount_cents),
        method: labelOf(payment.method),
        patron: payment.patron_name,
        when: `${formatMoment(payment.timestamp)} by ${payment.logged_by}`,
      });
      reason.value = chosen;
      note.value = words;
      correcting.checked = on;
      patronField.reset(correction.patron, false);
      amount.reset(correction.amountText);
      reference.value = correction.reference;
      methods.reset(correction.method);
    },

    /** @param {VoidState} state */
    update(state) {
      const { phase, errors, correction } = state;
      const view = viewOf(correction);
      showPhase(form, phase, phase === "submitting"
        ? "Voiding…"
        : state.correcting ? "Void and correct" : "Void payment");
      correcting.checked = state.correcting;
      part(form, "correction").hidden = !state.correcting;
      part(form, "note-optional").hidden = state.reason === "other";
      note.required = state.reason === "other";
      part(form, "reference").hidden = view.reference === null;
      fill(form, {
        "reference-label": view.reference?.label ?? "",
        "reference-hint": view.reference?.hint ?? "",
        ...outcome(state),
      });
      reference.required = view.reference?.required ?? false;

      fillCompare(part(form, "compare-rows"), changes(state));
      part(form, "compare").hidden = part(form, "line").hidden = !state.reason;
      // The comparison already shows the payment being corrected.
      part(form, "voided-entry").hidden = state.correcting;

      for (const name of /** @type {const} */ (["reason", "note"])) say(name, errors[name] ?? "");
      for (const field of FIELD_ORDER) {
        if (CONTROLS[`correction.${field}`]) say(`correction.${field}`, correction.errors[field] ?? "");
      }
      const top = part(form, "form-error");
      top.hidden = !errors.form && !correction.errors.form && !correction.errors.note;
      top.textContent = errors.form ?? correction.errors.form ?? correction.errors.note ?? "";

    },

    /** @param {string} field */
    focus(field) {
      if (field === "correction.method") methods.focus();
      else find(form, CONTROLS[field] ?? "#void-submit").focus();
    },

    /** Lists similar payments. @param {readonly Payment[]} entries */
    showDuplicates(entries) {
      part(form, "duplicate-list").replaceChildren(...entries.map((entry) => {
        const item = document.createElement("li");
        item.textContent = `${entryNumber(entry.seq)} · ${describePayment(entry)} · ${formatMoment(entry.logged_at)} by ${entry.logged_by}`;
        return item;
      }));
    },
  };

  /** @param {string} field @param {string} text */
  function say(field, text) {
    part(form, `${field}-error`).textContent = text;
    find(form, CONTROLS[field]).setAttribute("aria-invalid", String(text !== ""));
  }
}
