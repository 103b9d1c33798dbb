/** The payment dialog on screen: update() shows the whole state; what the user does goes to the handlers. */

import { createMethodTiles } from "../entries/method-tiles.js";
import { entryNumber } from "../entries/words.js";
import { createAmountField } from "../kit/amount-field.js";
import { clone, fill, find, part, setTime } from "../kit/dom.js";
import { formatCents } from "../kit/money.js";
import { formatClock, formatUtc } from "../kit/time.js";
import { createPatronField } from "../roster/patron-field.js";
import { showPhase } from "../sending/phase-view.js";
import { FIELD_ORDER, viewOf } from "./form.js";
import { describeDuplicates } from "./words.js";

/** @typedef {import("./form.js").FormState} FormState */
/** @typedef {import("./form.js").Field} Field */

/** @type {Record<Field, string>} the element that takes the focus for a field */
const CONTROLS = {
  patron: "#payment-patron",
  amount: "#payment-amount",
  method: "#payment-methods",
  reference: "#payment-reference",
  note: "#payment-note",
  timestamp: "#payment-submit",
};

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} handlers
 * @param {(change: Partial<FormState>) => void} handlers.edited
 * @param {(field: Field) => void} handlers.left a field lost the focus
 * @param {(another: boolean) => void} handlers.submitted
 * @param {() => readonly Patron[] | null} handlers.roster
 * @param {(patron: Patron) => number} handlers.alreadyPaid cents
 * @param {(payment: Payment) => string} handlers.addressOf where a logged payment can be seen
 */
export function createPaymentView(dialog, handlers) {
  const form = /** @type {HTMLFormElement} */ (find(dialog, "form"));
  const fields = /** @type {HTMLFieldSetElement} */ (part(form, "fields"));
  const reference = /** @type {HTMLInputElement} */ (find(form, CONTROLS.reference));
  const note = /** @type {HTMLTextAreaElement} */ (find(form, CONTROLS.note));
  const another = /** @type {HTMLButtonElement} */ (find(form, "#payment-another"));
  const clock = /** @type {HTMLTimeElement} */ (find(form, "#payment-clock"));
  const amount = createAmountField(/** @type {HTMLInputElement} */ (find(form, CONTROLS.amount)), {
    edited: (amountText) => handlers.edited({ amountText }),
    left: () => handlers.left("amount"),
  });
  const methods = createMethodTiles(find(form, CONTROLS.method), "method", (method) => handlers.edited({ method }), { shortcuts: true });

  const patronField = createPatronField(part(form, "patron"), {
    roster: handlers.roster,
    aside: (patron) => {
      const cents = handlers.alreadyPaid(patron);
      return cents ? `already logged ${formatCents(cents)}` : "";
    },
    changed: (patron, patronText) => handlers.edited({ patron, patronText }),
  });

  reference.addEventListener("input", () => handlers.edited({ reference: reference.value }));
  reference.addEventListener("blur", () => handlers.left("reference"));
  note.addEventListener("input", () => handlers.edited({ note: note.value }));
  note.addEventListener("blur", () => handlers.left("note"));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.submitted(false);
  });
  another.addEventListener("click", () => handlers.submitted(true));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      handlers.submitted(event.shiftKey);
    }
    const typing = /** @type {Element} */ (event.target).matches("textarea, input:not([type=radio])");
    if (typing || fields.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    methods.choose(Number(event.key) - 1);
  });

  /** @param {Field} field */
  const focus = (field) => (field === "method" ? methods.focus() : find(form, CONTROLS[field]).focus());

  /** The summary is an alert: it is rewritten only when its text changes. @param {ReturnType<typeof viewOf>["problems"]} problems */
  const showProblems = (problems) => {
    const box = part(form, "problems");
    const said = problems ? JSON.stringify(problems) : "";
    if (box.dataset.said === said) return;
    box.dataset.said = said;
    box.hidden = problems === null;
    part(box, "problems-title").textContent = problems?.title ?? "";
    part(box, "problems-list").replaceChildren(...(problems?.items ?? []).map(({ field, text }) => {
      const item = clone("problem-template");
      const link = find(item, "a");
      link.textContent = text;
      link.addEventListener("click", (event) => {
        event.preventDefault(); // with a <base>, a fragment would lead to another page
        focus(field);
      });
      return item;
    }));
  };

  return {
    patronField,
    focus,

    /** Writes the state into the fields, only when the form opens and never while someone types. @param {FormState} state @param {boolean} patronLocked */
    reset(state, patronLocked) {
      patronField.reset(state.patron, patronLocked);
      amount.reset(state.amountText);
      reference.value = state.reference;
      note.value = state.note;
      methods.reset(state.method);
      find(dialog, "#payment-event").textContent = state.eventName;
    },

    /** @param {FormState} state */
    update(state) {
      const view = viewOf(state);
      showPhase(form, state.phase, view.submitLabel);
      another.hidden = state.phase === "unknown" || state.phase === "duplicate";
      another.disabled = view.locked;

      part(form, "reference").hidden = view.reference === null;
      find(form, "#payment-reference-label").textContent = view.reference?.label ?? "";
      find(form, "#payment-reference-hint").textContent = view.reference?.hint ?? "";
      reference.required = view.reference?.required ?? false;

      find(form, "#payment-patron-hint").textContent = view.patronHint;
      find(form, "#payment-amount-helper").textContent = view.amountHelper;
      find(form, "#payment-amount-unusual").textContent = view.unusual;
      const count = find(form, "#payment-note-count");
      count.textContent = view.noteCount;
      count.classList.toggle("over", view.noteOver);
      find(form, "#payment-summary").replaceChildren(...view.summary.map(({ text, strong }) => {
        const piece = document.createElement(strong ? "strong" : "span");
        piece.textContent = text;
        return piece;
      }));

      for (const field of FIELD_ORDER) {
        const text = state.errors[field] ?? "";
        find(form, `#payment-${field}-error`).textContent = text;
        if (field !== "timestamp") find(form, CONTROLS[field]).setAttribute("aria-invalid", String(text !== ""));
      }
      showProblems(view.problems);
      const notice = part(form, "notice");
      notice.textContent = state.notice?.text ?? "";
      notice.className = `banner ${state.notice?.tone ?? ""}`;
      notice.hidden = state.notice === null;
    },

    /** @param {number} ms */
    tick(ms) {
      setTime(clock, ms, formatClock(ms), formatUtc(ms));
    },

    /** Asks about similar payments. @param {readonly Payment[]} entries @param {number} now epoch ms */
    showDuplicates(entries, now) {
      const { title, lines } = describeDuplicates(entries, now);
      find(form, "#payment-duplicate-title").textContent = title;
      part(form, "duplicate-list").replaceChildren(...entries.map((entry, index) => {
        const item = clone("duplicate-template");
        fill(item, { what: lines[index], number: ` ${entryNumber(entry.seq)} in a new tab` });
        /** @type {HTMLAnchorElement} */ (find(item, "a")).href = handlers.addressOf(entry);
        item.title = formatUtc(entry.logged_at);
        return item;
      }));
    },
  };
}
