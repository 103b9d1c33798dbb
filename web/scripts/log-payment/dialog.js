/** Logging a payment: the dialog's life from opening to a definite end. */

import { closeDialog, confirmLeaving, guardDialog, openDialog } from "../kit/dialog.js";
import { find, part } from "../kit/dom.js";
import { formatClock } from "../kit/time.js";
import { toast } from "../kit/toast.js";
import { readTotals } from "../roster/paid-totals.js";
import { clearPending, mintPending, store } from "../sending/pending.js";
import { findFate, submitPayment } from "../sending/submission.js";
import { serverNow } from "../server/api-fetch.js";
import { getEvent, getPaymentByKey, logPayment } from "../server/api.js";
import { emptyForm, errorsFromServer, firstError, isDirty, requestBody, sentForm, validate } from "./form.js";
import { createPaymentView } from "./view.js";
import { savedMessage } from "./words.js";

/** @typedef {import("../server/api.js").Patron} Patron */
/** @typedef {import("../server/api.js").Payment} Payment */
/** @typedef {import("../sending/pending.js").Pending} Pending */
/** @typedef {import("./form.js").FormState} FormState */

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {import("../session/session.js").Session} session
 * @param {(payment: Payment) => string} addressOf where a logged payment can be seen
 */
export function createPaymentModal(session, addressOf) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#payment-dialog"));
  /** @type {readonly Patron[] | null} */
  let roster = null;
  let state = emptyForm("");
  let patronLocked = false;
  /** @type {Pending | null} from the form's opening to a definite end of its payment */
  let pending = null;
  let duplicates = /** @type {Payment[]} */ ([]);
  let logAnother = false;
  let ticking = 0;
  let loading = new AbortController();
  let checking = new AbortController();

  const view = createPaymentView(dialog, {
    roster: () => roster,
    alreadyPaid: (patron) => state.totals?.get(patron.email) ?? 0,
    addressOf,
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

  /**
   * Opens an empty form.
   * @param {{event_id: string, name: string}} event
   * @param {{roster?: readonly Patron[], patron?: Patron}} [known] a patron given here cannot be changed
   */
  function open(event, known = {}) {
    if (!session.user) return;
    if (pending) return reopen(); // its fate is being asked for: first things first
    pending = mintPending({ eventId: event.event_id, eventName: event.name, user: session.user.email });
    patronLocked = known.patron !== undefined;
    roster = known.roster ?? null;
    start(emptyForm(event.name, known.patron ?? null), event.event_id);
    view.focus(patronLocked ? "amount" : "patron");
  }

  /**
   * Finds out what became of a payment that was sent before this page was loaded, and says so.
   * @param {Pending} unresolved
   */
  async function resume(unresolved) {
    if (pending) return;
    pending = unresolved;
    await check();
  }

  /** Shows a payment that was sent, with its fate unknown. */
  function reopen() {
    if (dialog.open || !pending?.body) return;
    patronLocked = false;
    roster = null;
    start(sentForm(pending, pending.body), pending.eventId);
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
      view.combobox.refresh();
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      set({ errors: { ...state.errors, form: `The roster could not be loaded. ${reason} Close and open the form again.` }, refused: true });
    }
  }

  /** @param {string} eventId @param {AbortSignal} signal */
  async function loadTotals(eventId, signal) {
    const totals = await readTotals(eventId, signal);
    if (signal.aborted || !totals) return;
    set({ totals });
    view.combobox.refresh();
  }

  /** @param {string[]} acknowledged ids of earlier payments this one was said to differ from */
  async function log(acknowledged) {
    if (!pending || state.phase === "submitting") return;
    const errors = validate(state);
    if (firstError(errors)) return refused(errors);
    pending.body = {
      ...requestBody(state, pending.eventId, serverNow()),
      ...(acknowledged.length > 0 && { acknowledge_duplicates: acknowledged }),
    };
    pending.patronName = state.patron?.name ?? "";
    await send();
  }

  async function send() {
    if (!pending?.body || state.phase === "submitting") return;
    checking.abort();
    view.combobox.close();
    set({ phase: "submitting", errors: {}, refused: false, notice: null });
    pending.sentAt = Date.now();
    store(pending);
    tick();
    view.announce("Logging the payment…");
    find(dialog, "#payment-submit").focus();
    const outcome = await submitPayment(pending.body, pending.key, { logPayment, wait, now: serverNow });
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
        notSaved({ phase: "duplicate" });
        view.showDuplicates(duplicates, serverNow());
        return part(dialog, "duplicate-cancel").focus();
      case "busy":
        return refused({ form: "Many payments are being logged at once. This one was not saved. Log it again." });
      case "refused":
        return refused(errorsFromServer(outcome.fields, outcome.message));
    }
  }

  /** Asks by the key whether the payment is in the ledger. */
  async function check() {
    if (!pending) return;
    checking.abort();
    checking = new AbortController();
    const { signal } = checking;
    view.explainUnknown("Asking the server whether it was saved…");
    const fate = await findFate(pending.key, pending.sentAt, {
      getPaymentByKey: (key) => session.call(() => getPaymentByKey(key)),
      wait,
      now: Date.now,
      undecided() {
        if (signal.aborted) return;
        reopen();
        view.explainUnknown("It is not in the ledger so far, but may still be on its way. Looking again…");
      },
      signal,
    });
    if (signal.aborted) return;
    if (fate.kind === "saved") return saved(fate.payment, fate.replayed);
    reopen();
    if (fate.kind === "unknown") return view.explainUnknown(fate.message);
    const text = "This payment was not saved. Look it over, then log it.";
    notSaved({ phase: "editing", notice: { tone: "warn", text } });
    view.announce(text);
    find(dialog, "#payment-submit").focus();
  }

  /** @param {Payment} payment @param {boolean} replayed */
  function saved(payment, replayed) {
    const message = savedMessage(payment, replayed, formatClock(payment.logged_at));
    clearPending();
    pending = null;
    // What was logged before this page was opened is in all that it has read.
    const openedAt = performance.timeOrigin + serverNow() - Date.now();
    if (payment.logged_at >= openedAt) document.dispatchEvent(new CustomEvent("payment-logged", { detail: payment }));
    if (!logAnother) {
      close();
      toast({ ...message, href: addressOf(payment), linkText: "View payments" });
      return;
    }
    open({ event_id: payment.event_id, name: payment.event_name }, roster ? { roster } : {});
    set({ notice: { tone: "good", text: `${message.title}. ${message.text}` } });
    view.announce(`${message.title}. Ready for the next payment.`);
  }

  /** @param {string} reason */
  function becomeUnknown(reason) {
    set({ phase: "unknown", errors: {} });
    view.explainUnknown(reason);
    view.announce("");
    part(dialog, "retry").focus();
  }

  /** @param {import("./form.js").Errors} errors */
  function refused(errors) {
    notSaved({ phase: "editing", errors, refused: true });
    view.focus(firstError(errors) ?? "timestamp");
  }

  /** The server stored nothing, so the same key may go with what is typed next. @param {Partial<FormState>} change */
  function notSaved(change) {
    if (pending) {
      pending.body = null;
      store(pending);
    }
    view.announce("");
    set(change);
    tick();
  }

  function close() {
    clearPending();
    pending = null;
    loading.abort();
    checking.abort();
    clearInterval(ticking);
    closeDialog(dialog);
  }

  /** @returns {Promise<boolean>} whether the dialog is closed now */
  async function leave(byEscape = false) {
    if (!dialog.open) return true;
    if (state.phase === "submitting") return false;
    if (state.phase === "unknown") {
      const question = {
        title: "This payment may or may not be saved",
        text: "The form stays open until that is known. Check now?",
        yes: "Check now",
        no: "Go back",
        risky: false,
      };
      if (await confirmLeaving(question)) await check();
      return !dialog.open;
    }
    if (state.phase === "duplicate" && byEscape) {
      backToEditing();
      return false;
    }
    const question = {
      title: "Discard this payment?",
      text: "What you typed has not been logged.",
      yes: "Discard",
      no: "Keep editing",
    };
    if (isDirty(state, patronLocked) && !(await confirmLeaving(question))) return false;
    close();
    return true;
  }

  function backToEditing() {
    set({ phase: "editing" });
    view.focus("amount");
  }

  guardDialog(dialog, (byEscape) => void leave(byEscape));
  part(dialog, "retry").addEventListener("click", () => void send());
  part(dialog, "duplicate-cancel").addEventListener("click", backToEditing);
  part(dialog, "duplicate-log").addEventListener("click", () => {
    set({ phase: "editing" });
    void log(duplicates.map(({ payment_id: id }) => id));
  });
  addEventListener("beforeunload", (event) => {
    if (dialog.open && (state.phase !== "editing" || isDirty(state, patronLocked))) event.preventDefault();
  });

  return { open, resume, leave: () => leave() };
}
