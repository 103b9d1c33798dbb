/** Logging a payment: the dialog's life from opening to a definite end. */

import { getEvent, listPayments, logPayment, serverNow } from "./api.js";
import { closeDialog, confirmLeaving, guardDialog, openDialog } from "./dialog.js";
import { find, part } from "./dom.js";
import {
  emptyForm, errorsFromServer, firstError, isDirty, requestBody, totalsByPatron, validate,
} from "./payment-form.js";
import { createPaymentView, savedMessage } from "./payment-view.js";
import { clearPending, mintPending, store } from "./pending.js";
import { submitPayment } from "./submission.js";
import { toast } from "./toast.js";

/** @typedef {import("./api.js").ScEvent} ScEvent */
/** @typedef {import("./api.js").Patron} Patron */
/** @typedef {import("./api.js").Payment} Payment */
/** @typedef {import("./pending.js").Pending} Pending */
/** @typedef {import("./payment-form.js").FormState} FormState */

const PAGE = 100;
const MAX_PAGES = 20;

/**
 * @param {import("./session.js").Session} session
 * @param {(payment: Payment) => string} paymentsAddress where the new row can be seen
 */
export function createPaymentModal(session, paymentsAddress) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#payment-dialog"));
  /** @type {readonly Patron[] | null} */
  let roster = null;
  let state = emptyForm("");
  let patronLocked = false;
  /** @type {Pending | null} */
  let pending = null;
  let duplicates = /** @type {Payment[]} */ ([]);
  let logAnother = false;
  let ticking = 0;
  let loading = new AbortController();

  const view = createPaymentView(dialog, {
    roster: () => roster,
    alreadyPaid: (patron) => state.totals?.get(patron.email) ?? 0,
    edited(change) {
      const errors = { ...state.errors };
      for (const field of Object.keys(change)) {
        delete errors[/** @type {keyof typeof errors} */ (field.replace(/Text$/, ""))];
      }
      if ("method" in change) delete errors.reference;
      set({ ...change, errors });
    },
    left(field) {
      // Leaving a field says what is wrong with what was typed, never that something is still missing.
      const typed = { amount: state.amountText, reference: state.reference, note: state.note }[String(field)] ?? "";
      const problem = typed.trim() ? validate(state)[field] : undefined;
      if (problem) set({ errors: { ...state.errors, [field]: problem } });
    },
    submitted(another) {
      if (state.phase !== "editing") return;
      logAnother = another;
      void log([]);
    },
  });

  /** @param {Partial<FormState>} change */
  function set(change) {
    state = { ...state, ...change };
    view.update(state);
  }

  /** Opens an empty form. @param {ScEvent} event @param {{roster?: readonly Patron[], patron?: Patron}} [known] */
  function open(event, known = {}) {
    if (!session.user) return;
    pending = mintPending(event.event_id, session.user.email);
    patronLocked = known.patron !== undefined;
    roster = known.roster ?? null;
    start(emptyForm(event.name, known.patron ?? null), event.event_id);
    view.focus(patronLocked ? "amount" : "patron");
  }

  /** Opens the form again on a payment that was sent before this page was loaded. @param {Pending} unresolved */
  function resume(unresolved) {
    const { body } = unresolved;
    if (!body) return;
    pending = unresolved;
    patronLocked = false;
    roster = null;
    const email = String(body.patron_email);
    start({
      ...emptyForm(unresolved.eventId, { email, name: email }),
      amountText: String(body.amount),
      method: /** @type {import("./api.js").Method} */ (body.method),
      reference: String(body.reference ?? ""),
      note: String(body.note ?? ""),
    }, unresolved.eventId);
    becomeUnknown("The page was left before the server answered.");
  }

  /** @param {FormState} initial @param {string} eventId */
  function start(initial, eventId) {
    loading.abort();
    loading = new AbortController();
    logAnother = false;
    duplicates = [];
    state = initial;
    view.reset(state, patronLocked);
    view.update(state);
    view.announce("");
    clearInterval(ticking);
    tick();
    ticking = setInterval(tick, 1_000);
    openDialog(dialog);
    void loadRoster(eventId, loading.signal);
    void loadTotals(eventId, loading.signal);
  }

  function tick() {
    // What was sent is what will be stored, so the line stands still from then on.
    view.tick(pending?.body?.timestamp ?? serverNow());
  }

  /** @param {string} eventId @param {AbortSignal} signal */
  async function loadRoster(eventId, signal) {
    if (roster) return;
    try {
      const found = await session.call(() => getEvent(eventId, signal));
      if (signal.aborted) return;
      roster = found.roster;
      const email = state.patron?.email;
      set({ eventName: found.event.name, patron: roster.find((person) => person.email === email) ?? state.patron });
      if (state.phase !== "editing") view.reset(state, patronLocked);
      view.combobox.refresh();
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      set({ errors: { ...state.errors, form: `The roster could not be loaded. ${reason} Close and open the form again.` } });
    }
  }

  /** @param {string} eventId @param {AbortSignal} signal */
  async function loadTotals(eventId, signal) {
    /** @type {Payment[]} */
    const payments = [];
    /** @type {string | null} */
    let cursor = null;
    try {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const found = await listPayments(eventId, { limit: PAGE, cursor, signal });
        payments.push(...found.payments);
        cursor = found.cursor;
        if (!cursor) break;
      }
    } catch {
      return; // without all payments there is no true total, and the form works without one
    }
    if (signal.aborted || cursor) return;
    set({ totals: totalsByPatron(payments) });
    view.combobox.refresh();
  }

  /** @param {string[]} acknowledged ids of earlier payments this one was said to differ from */
  async function log(acknowledged) {
    if (!pending || state.phase === "submitting") return;
    const errors = validate(state);
    const wrong = firstError(errors);
    if (wrong) {
      set({ phase: "editing", errors });
      view.focus(wrong);
      return;
    }
    pending.body = {
      ...requestBody(state, pending.eventId, serverNow()),
      ...(acknowledged.length > 0 && { acknowledge_duplicates: acknowledged }),
    };
    await send();
  }

  async function send() {
    if (!pending?.body || state.phase === "submitting") return;
    view.combobox.close();
    set({ phase: "submitting", errors: {} });
    store(pending);
    view.announce("Logging the payment…");
    find(dialog, "#payment-submit").focus();
    const outcome = await submitPayment(pending.body, pending.key, {
      logPayment,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      now: serverNow,
    });
    switch (outcome.kind) {
      case "saved":
        return saved(outcome.payment, outcome.replayed);
      case "unknown":
        return becomeUnknown(outcome.message);
      case "signed-out":
        await session.requireSignIn("Your session has ended. Sign in to log this payment; nothing you typed is lost.");
        set({ phase: "editing" });
        return send();
      case "duplicate":
        duplicates = outcome.entries;
        notSaved({}, "duplicate");
        view.showDuplicates(duplicates);
        return part(dialog, "duplicate-cancel").focus();
      case "busy":
        return refused({ form: "Many payments are being logged at once. This one was not saved. Log it again." });
      case "refused":
        return refused(errorsFromServer(outcome.fields, outcome.message));
    }
  }

  /** @param {Payment} payment @param {boolean} replayed */
  function saved(payment, replayed) {
    const event = { event_id: payment.event_id, name: payment.event_name };
    clearPending();
    pending = null;
    const message = savedMessage(payment, replayed);
    document.dispatchEvent(new CustomEvent("payment-logged", { detail: payment }));
    if (logAnother) {
      const known = roster ? { roster } : {};
      open(/** @type {ScEvent} */ (event), known);
      logAnother = true;
      view.announce(`${message.title}. Ready for the next payment.`);
    } else {
      close();
    }
    toast({ ...message, href: paymentsAddress(payment), linkText: "View payments" });
  }

  /** @param {string} reason */
  function becomeUnknown(reason) {
    set({ phase: "unknown", errors: {} });
    part(dialog, "unknown-reason").textContent = reason;
    view.announce("");
    part(dialog, "retry").focus();
  }

  /** @param {import("./payment-form.js").Errors} errors */
  function refused(errors) {
    notSaved(errors, "editing");
    view.focus(firstError(errors) ?? "timestamp");
  }

  /** The server stored nothing, so the same key may go with what is typed next. @param {import("./payment-form.js").Errors} errors @param {"editing" | "duplicate"} phase */
  function notSaved(errors, phase) {
    if (pending) {
      pending.body = null;
      store(pending);
    }
    view.announce("");
    set({ phase, errors });
  }

  function close() {
    clearPending();
    pending = null;
    loading.abort();
    clearInterval(ticking);
    closeDialog(dialog);
  }

  /** @returns {Promise<boolean>} whether the dialog is closed now */
  async function leave() {
    if (!dialog.open) return true;
    if (state.phase === "submitting") return false;
    const question = state.phase === "unknown"
      ? {
          title: "This payment may or may not be saved",
          text: "Retrying is safe and tells which. If you leave, look at the payments list before logging it again.",
          yes: "Leave without knowing",
          no: "Go back",
        }
      : isDirty(state, patronLocked) && {
          title: "Discard this payment?",
          text: "What you typed has not been logged.",
          yes: "Discard",
          no: "Keep editing",
        };
    if (question && !(await confirmLeaving(question))) return false;
    close();
    return true;
  }

  guardDialog(dialog, () => void leave());
  part(dialog, "retry").addEventListener("click", () => void send());
  part(dialog, "duplicate-cancel").addEventListener("click", () => {
    set({ phase: "editing" });
    view.focus("amount");
  });
  part(dialog, "duplicate-log").addEventListener("click", () => {
    set({ phase: "editing" });
    void log(duplicates.map(({ payment_id: id }) => id));
  });
  addEventListener("beforeunload", (event) => {
    if (dialog.open && (state.phase !== "editing" || isDirty(state, patronLocked))) event.preventDefault();
  });

  return { open, resume, leave };
}
