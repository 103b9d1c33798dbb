/** Voiding a payment: the dialog, from opening to a definite end. */

import { find, part } from "../kit/dom.js";
import { toast } from "../kit/toast.js";
import { createRosterSource } from "../roster/roster-source.js";
import { createLifeCycle } from "../sending/life-cycle.js";
import { pendingVoid } from "../sending/pending.js";
import { voidPayment } from "../server/api.js";
import {
  WRONG_FIELD, check, choosing, emptyVoid, isTouched, sentVoid, sortErrors, voidBody, voidedMessage,
} from "./form.js";
import { createVoidView } from "./view.js";

/** @typedef {import("./form.js").VoidState} VoidState */

/**
 * @param {import("../session/session.js").Session} session
 * @param {(payment: Payment) => string} addressOf where an entry can be seen
 */
export function createVoidDialog(session, addressOf) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#void-dialog"));
  /** @type {VoidState} */
  let state;

  const roster = createRosterSource(session, {
    arrived: () => view.patronField.refresh(),
    failed: (reason) => set({
      errors: { ...state.errors, form: `The roster could not be loaded. ${reason} You can still void the payment.` },
    }),
  });

  const view = createVoidView(dialog, {
    roster: () => roster.patrons,
    reasoned(reason) {
      set(choosing(reason));
      if (state.correcting) life.announce("You can enter the corrected payment below.");
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
      if (state.phase === "editing") send([]);
    },
  });

  const life = createLifeCycle(dialog, session, {
    store: pendingVoid,
    post: (body, key, { payment }) => voidPayment(payment.payment_id, body, key),
    texts: {
      sending: "Voiding the payment…",
      signedOut: "Your session has ended. Sign in to void this payment; nothing you typed is lost.",
      busy: "Many payments are being logged at once. Nothing was voided. Try again.",
    },
    questions: {
      unknown: {
        title: "This payment may or may not be voided",
        text: "Retrying is safe and will settle it. If you leave now, check the payment before doing anything else.",
        yes: "Leave without knowing",
        no: "Go back",
      },
      discard: {
        title: "Leave without voiding?",
        text: "The payment has not been voided.",
        yes: "Leave",
        no: "Keep editing",
      },
    },
  }, {
    phase: () => state?.phase ?? "editing",
    enter(phase) {
      view.patronField.close();
      set({
        phase,
        ...(phase === "submitting" && { errors: {}, correction: { ...state.correction, errors: {} } }),
      });
    },
    isTouched: () => isTouched(state),
    restore: ({ payment }, body) => start(sentVoid(payment, body), null),
    saved,
    // Someone else voided it, or the payment no longer exists.
    refused: ({ status, fields, message }) =>
      status === 409 || status === 404 ? end(message) : complain(sortErrors(fields, message)),
    doubted: (entries) => view.showDuplicates(entries),
    reconsider() {
      set({ phase: "editing" });
      view.focus("correction.amount");
    },
    insist: send,
    closed: () => roster.stop(),
  });

  /** @param {Partial<VoidState>} change */
  function set(change) {
    state = { ...state, ...change };
    view.update(state);
  }

  /** @param {Payment} payment @param {{roster?: readonly Patron[]}} [known] */
  function open(payment, known = {}) {
    if (!life.begin({ payment })) return;
    start(emptyVoid(payment), known.roster ?? null);
    view.focus("reason");
  }

  /** @param {VoidState} initial @param {readonly Patron[] | null} patrons */
  function start(initial, patrons) {
    view.reset(initial);
    set(initial);
    life.show();
    roster.use(initial.payment.event_id, patrons);
  }

  /** @param {string[]} acknowledged ids of payments that the corrected one is said to differ from */
  function send(acknowledged) {
    const { own, correction } = check(state);
    if (Object.keys(own).length || Object.keys(correction).length) return complain({ own, correction });
    const body = voidBody(state);
    if (acknowledged.length) body.replacement.acknowledge_duplicates = acknowledged;
    void life.send(body);
  }

  /** @param {Voided} result */
  function saved(result) {
    const { payment } = state;
    for (const entry of [result.void, result.replacement]) {
      if (entry) document.dispatchEvent(new CustomEvent("payment-logged", { detail: entry }));
    }
    life.close();
    toast({ ...voidedMessage(payment, result), href: addressOf(payment), linkText: "View" });
    // The button that opened the dialog is gone now that the payment is voided; its row or screen is still there.
    const main = find(document, "main");
    if (main.contains(document.activeElement)) return;
    const place = main.querySelector(`[data-payment-id="${payment.payment_id}"] :is(td a, h1)`);
    (place instanceof HTMLElement ? place : main).focus();
  }

  /** @param {string} message */
  function end(message) {
    set({ phase: "ended" });
    part(dialog, "ended-text").textContent = message;
    /** @type {HTMLAnchorElement} */ (part(dialog, "ended-link")).href = addressOf(state.payment);
    part(dialog, "cancel").focus();
  }

  /** @param {{own: import("./form.js").VoidErrors, correction: import("../log-payment/form.js").Errors}} errors */
  function complain({ own, correction }) {
    life.announce("");
    set({ phase: "editing", errors: own, correction: { ...state.correction, errors: correction } });
    const [first] = [
      ...["reason", "note"].filter((name) => name in own),
      ...Object.keys(correction).map((name) => `correction.${name}`),
    ];
    // A problem with the whole form is fixed in the field that the reason names.
    const meant = state.correcting ? `correction.${WRONG_FIELD[state.reason] ?? "amount"}` : "reason";
    view.focus(first ?? meant);
  }

  part(dialog, "ended-link").addEventListener("click", life.close);

  return { open, resume: life.resume, leave: life.leave };
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
