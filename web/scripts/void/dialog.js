/** Voiding a payment: the dialog's life from opening to a definite end. */

import { closeDialog, confirmLeaving, guardDialog, openDialog } from "../kit/dialog.js";
import { find, part } from "../kit/dom.js";
import { toast } from "../kit/toast.js";
import { submitPayment } from "../sending/submission.js";
import { clearVoid, storeVoid } from "../sending/void-pending.js";
import { serverNow } from "../server/api-fetch.js";
import { getEvent, voidPayment } from "../server/api.js";
import {
  WRONG_FIELD, check, choosing, emptyVoid, isTouched, sentVoid, sortErrors, voidBody, voidedMessage,
} from "./form.js";
import { createVoidView } from "./view.js";

/** @typedef {import("../server/api.js").Patron} Patron */
/** @typedef {import("../server/api.js").Payment} Payment */
/** @typedef {import("./form.js").VoidState} VoidState */
/** @typedef {import("../sending/void-pending.js").PendingVoid} PendingVoid */

/**
 * @param {import("../session/session.js").Session} session
 * @param {(payment: Payment) => string} addressOf where an entry can be seen
 */
export function createVoidDialog(session, addressOf) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#void-dialog"));
  /** @type {VoidState} */
  let state;
  /** @type {PendingVoid | null} */
  let pending = null;
  /** @type {readonly Patron[] | null} */
  let roster = null;
  let duplicates = /** @type {Payment[]} */ ([]);
  let loading = new AbortController();

  const view = createVoidView(dialog, {
    roster: () => roster,
    reasoned(reason) {
      set(choosing(reason));
      if (state.correcting) view.announce("The corrected payment can be entered below.");
    },
    edited: (change) => set({ ...change, errors: without(state.errors, change) }),
    corrected(change) {
      const { errors, ...correction } = state.correction;
      set({
        correction: { ...correction, ...change, errors: without(errors, change) },
        errors: without(state.errors, { form: "" }),
      });
    },
    submitted() {
      if (state.phase === "editing") void send([]);
    },
  });

  /** @param {Partial<VoidState>} change */
  function set(change) {
    state = { ...state, ...change };
    view.update(state);
  }

  /** @param {Payment} payment @param {{roster?: readonly Patron[]}} [known] */
  function open(payment, known = {}) {
    if (!session.user || dialog.open) return;
    pending = { key: crypto.randomUUID(), user: session.user.email, payment, body: null };
    start(emptyVoid(payment), known.roster ?? null);
    view.focus("reason");
  }

  /** @param {VoidState} initial @param {readonly Patron[] | null} people */
  function start(initial, people) {
    loading.abort();
    loading = new AbortController();
    roster = people;
    duplicates = [];
    state = initial;
    view.reset(state);
    view.update(state);
    view.announce("");
    openDialog(dialog);
    void loadRoster(state.payment.event_id, loading.signal);
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
      set({ errors: { ...state.errors, form: `The roster could not be loaded. ${reason} Voiding works without it.` } });
    }
  }

  /** @param {string[]} acknowledged ids of payments that the corrected one was said to differ from */
  async function send(acknowledged) {
    if (!pending || state.phase === "submitting") return;
    const { own, correction } = check(state);
    if (Object.keys(own).length || Object.keys(correction).length) return refused({ own, correction });
    pending.body = voidBody(state);
    if (acknowledged.length) pending.body.replacement.acknowledge_duplicates = acknowledged;
    await submit();
  }

  async function submit() {
    if (!pending?.body || state.phase === "submitting") return;
    const { payment, key, body } = pending;
    view.combobox.close();
    set({ phase: "submitting", errors: {}, correction: { ...state.correction, errors: {} } });
    storeVoid(pending);
    view.announce("Voiding the payment…");
    find(dialog, "#void-submit").focus();
    const outcome = await submitPayment(body, key, {
      logPayment: async () => {
        const voided = await voidPayment(payment.payment_id, body, key);
        return { ...voided, payment: voided.void };
      },
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      now: serverNow,
    });
    switch (outcome.kind) {
      case "saved":
        return saved(payment, /** @type {any} */ (outcome));
      case "unknown":
        return becomeUnknown(outcome.message);
      case "signed-out":
        await session.requireSignIn("Your session has ended. Sign in to void this payment; nothing you typed is lost.");
        set({ phase: "editing" });
        return submit();
      case "duplicate":
        duplicates = outcome.entries;
        notSaved({ phase: "duplicate" });
        view.showDuplicates(duplicates);
        return part(dialog, "duplicate-cancel").focus();
      case "busy":
        return refused({ own: { form: "Many payments are being logged at once. Nothing was voided. Try again." }, correction: {} });
      case "refused":
        return outcome.status === 409 || outcome.status === 404
          ? ended(outcome.message)
          : refused(sortErrors(outcome.fields, outcome.message));
    }
  }

  /** @param {Payment} payment @param {import("../server/api.js").Voided} result */
  function saved(payment, result) {
    const message = voidedMessage(payment, result);
    for (const entry of [result.void, result.replacement]) {
      if (entry) document.dispatchEvent(new CustomEvent("payment-logged", { detail: entry }));
    }
    close();
    toast({ ...message, href: addressOf(payment), linkText: "View" });
    // The button that opened the dialog went with the payment's voiding; its row or screen is still there.
    const main = find(document, "main");
    if (main.contains(document.activeElement)) return;
    const place = main.querySelector(`[data-payment-id="${payment.payment_id}"] :is(td a, h1)`);
    (place instanceof HTMLElement ? place : main).focus();
  }

  /** @param {string} reason */
  function becomeUnknown(reason) {
    set({ phase: "unknown" });
    part(dialog, "unknown-reason").textContent = reason;
    view.announce("");
    part(dialog, "retry").focus();
  }

  /** Somebody else voided it, or it is no payment any more. @param {string} message */
  function ended(message) {
    notSaved({ phase: "ended" });
    part(dialog, "ended-text").textContent = message;
    /** @type {HTMLAnchorElement} */ (part(dialog, "ended-link")).href = addressOf(state.payment);
    find(dialog, "#void-cancel").focus();
  }

  /** @param {{own: import("./form.js").VoidErrors, correction: import("../log-payment/form.js").Errors}} errors */
  function refused({ own, correction }) {
    notSaved({ phase: "editing", errors: own, correction: { ...state.correction, errors: correction } });
    const [first] = [
      ...["reason", "note"].filter((name) => name in own),
      ...Object.keys(correction).map((name) => `correction.${name}`),
    ];
    // What is wrong as a whole is put right in the field that the reason names.
    const meant = state.correcting ? `correction.${WRONG_FIELD[state.reason] ?? "amount"}` : "reason";
    view.focus(first ?? meant);
  }

  /** The server stored nothing, so the same key may go with what is sent next. @param {Partial<VoidState>} change */
  function notSaved(change) {
    if (pending) {
      pending.body = null;
      clearVoid();
    }
    view.announce("");
    set(change);
  }

  function close() {
    clearVoid();
    pending = null;
    loading.abort();
    closeDialog(dialog);
  }

  /** @returns {Promise<boolean>} whether the dialog is closed now */
  async function leave() {
    if (!dialog.open) return true;
    if (state.phase === "submitting") return false;
    const question = state.phase === "unknown"
      ? {
          title: "This payment may or may not be voided",
          text: "Retrying is safe and tells which. If you leave, look at the payment before you go on.",
          yes: "Leave without knowing",
          no: "Go back",
        }
      : state.phase !== "ended" && isTouched(state) && {
          title: "Leave it as it is?",
          text: "The payment has not been voided.",
          yes: "Leave",
          no: "Keep editing",
        };
    if (question && !(await confirmLeaving(question))) return false;
    close();
    return true;
  }

  guardDialog(dialog, () => void leave());
  part(dialog, "retry").addEventListener("click", () => void submit());
  part(dialog, "ended-link").addEventListener("click", close);
  part(dialog, "duplicate-cancel").addEventListener("click", () => {
    set({ phase: "editing" });
    view.focus("correction.amount");
  });
  part(dialog, "duplicate-log").addEventListener("click", () => {
    set({ phase: "editing" });
    void send(duplicates.map(({ payment_id: id }) => id));
  });
  addEventListener("beforeunload", (event) => {
    if (dialog.open && state.phase !== "ended" && (state.phase !== "editing" || isTouched(state))) event.preventDefault();
  });

  return {
    open,
    leave,
    /** Opens the form again on a void that was sent before this page was loaded. @param {PendingVoid} unresolved */
    resume(unresolved) {
      if (!unresolved.body || dialog.open) return;
      pending = unresolved;
      start(sentVoid(unresolved.payment, unresolved.body), null);
      becomeUnknown("The page was left before the server answered.");
    },
  };
}

/**
 * @template {Record<string, unknown>} T
 * @param {T} errors
 * @param {Record<string, unknown>} change what was edited
 * @returns {T}
 */
function without(errors, change) {
  const left = { ...errors };
  for (const name of Object.keys(change)) delete left[name.replace(/Text$/, "")];
  return left;
}
