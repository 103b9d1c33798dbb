/** Logging a payment: the dialog, from opening to a definite end. */

import { find } from "../kit/dom.js";
import { formatClock } from "../kit/time.js";
import { toast } from "../kit/toast.js";
import { readTotals } from "../roster/paid-totals.js";
import { createRosterSource } from "../roster/roster-source.js";
import { createLifeCycle } from "../sending/life-cycle.js";
import { pendingPayment } from "../sending/pending.js";
import { serverNow } from "../server/api-fetch.js";
import { getPaymentByKey, logPayment } from "../server/api.js";
import { emptyForm, errorsFromServer, firstError, isDirty, requestBody, sentForm, validate } from "./form.js";
import { createPaymentView } from "./view.js";
import { savedMessage } from "./words.js";

/** @typedef {import("./form.js").FormState} FormState */

/**
 * @param {import("../session/session.js").Session} session
 * @param {(payment: Payment) => string} addressOf where a logged payment can be seen
 */
export function createPaymentDialog(session, addressOf) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#payment-dialog"));
  let state = emptyForm("");
  let patronLocked = false;
  let logAnother = false;
  let ticking = 0;
  let loading = new AbortController();

  const roster = createRosterSource(session, {
    arrived: () => view.patronField.refresh(),
    failed: (reason) => set({
      errors: { ...state.errors, form: `The roster could not be loaded. ${reason} Close the form and open it again.` },
      refused: true,
    }),
  });

  const view = createPaymentView(dialog, {
    roster: () => roster.patrons,
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
      // What is wrong with what was typed, never that something is missing. An error moves what is below: not while
      // a pointer presses that.
      const typed = { amount: state.amountText, reference: state.reference, note: state.note }[String(field)] ?? "";
      const problem = typed.trim() ? validate(state)[field] : undefined;
      const show = () => set({ errors: { ...state.errors, [field]: problem } });
      if (problem && dialog.matches(":active")) addEventListener("pointerup", () => setTimeout(show), { once: true });
      else if (problem) show();
    },
    submitted(another) {
      if (state.phase !== "editing") return;
      logAnother = another;
      log([]);
    },
  });

  const life = createLifeCycle(dialog, session, {
    store: pendingPayment,
    post: logPayment,
    search: {
      lookUp: async (key) => ({ payment: await getPaymentByKey(key), replayed: true }),
      notSaved: (text) => set({ phase: "editing", notice: { tone: "warn", text } }),
    },
    texts: {
      sending: "Logging the payment…",
      signedOut: "Your session has ended. Sign in to log this payment; nothing you typed is lost.",
      busy: "Many payments are being logged at once. This one was not saved. Log it again.",
      notSaved: "This payment was not saved. Check it, then log it.",
    },
    questions: {
      unknown: {
        title: "This payment may or may not be saved",
        text: "The form stays open until we know. Check now?",
        yes: "Check now",
        no: "Go back",
        risky: false,
      },
      discard: {
        title: "Discard this payment?",
        text: "What you typed has not been logged.",
        yes: "Discard",
        no: "Keep editing",
      },
    },
  }, {
    phase: () => state.phase,
    enter(phase) {
      view.patronField.close();
      set({
        phase,
        ...((phase === "submitting" || phase === "unknown") && { errors: {} }),
        ...(phase === "submitting" && { refused: false, notice: null }),
      });
    },
    isTouched: () => isDirty(state, patronLocked),
    restore({ eventId, eventName, patronName }, body) {
      patronLocked = false;
      start(sentForm({ eventName, patronName }, body), eventId, null);
    },
    saved,
    refused: ({ fields, message }) => complain(errorsFromServer(fields, message)),
    doubted: (entries) => view.showDuplicates(entries, serverNow()),
    reconsider() {
      set({ phase: "editing" });
      view.focus("amount");
    },
    insist: log,
    closed() {
      roster.stop();
      loading.abort();
      clearInterval(ticking);
    },
  });

  /** @param {Partial<FormState>} change */
  function set(change) {
    state = { ...state, ...change };
    view.update(state);
    tick();
  }

  function tick() {
    // The time that was sent is the one that is stored, so the clock stops once it is sent.
    view.tick(life.pending?.body?.timestamp ?? serverNow());
  }

  /**
   * Opens an empty form.
   * @param {{event_id: string, name: string}} event
   * @param {{roster?: readonly Patron[], patron?: Patron}} [known] a patron given here cannot be changed
   */
  function open(event, known = {}) {
    if (!life.begin({ eventId: event.event_id, eventName: event.name, patronName: "" })) return;
    patronLocked = known.patron !== undefined;
    start(emptyForm(event.name, known.patron ?? null), event.event_id, known.roster ?? null);
    view.focus(patronLocked ? "amount" : "patron");
  }

  /** @param {FormState} initial @param {string} eventId @param {readonly Patron[] | null} patrons */
  function start(initial, eventId, patrons) {
    loading.abort();
    loading = new AbortController();
    logAnother = false;
    view.reset(initial, patronLocked);
    set(initial);
    clearInterval(ticking);
    ticking = setInterval(tick, 1_000);
    life.show();
    roster.use(eventId, patrons);
    void loadTotals(eventId, loading.signal);
  }

  /** @param {string} eventId @param {AbortSignal} signal */
  async function loadTotals(eventId, signal) {
    const totals = await readTotals(eventId, signal);
    if (signal.aborted || !totals) return;
    set({ totals });
    view.patronField.refresh();
  }

  /** @param {string[]} acknowledged ids of earlier payments that this one is said to differ from */
  function log(acknowledged) {
    const { pending } = life;
    if (!pending) return;
    const errors = validate(state);
    if (firstError(errors)) return complain(errors);
    pending.patronName = state.patron?.name ?? "";
    void life.send({
      ...requestBody(state, pending.eventId, serverNow()),
      ...(acknowledged.length > 0 && { acknowledge_duplicates: acknowledged }),
    });
  }

  /** @param {{payment: Payment, replayed: boolean}} answer */
  function saved({ payment, replayed }) {
    const message = savedMessage(payment, replayed, formatClock(payment.logged_at));
    // What was logged before this page was opened is in everything it has read.
    const openedAt = performance.timeOrigin + serverNow() - Date.now();
    if (payment.logged_at >= openedAt) document.dispatchEvent(new CustomEvent("payment-logged", { detail: payment }));
    if (!logAnother) {
      life.close();
      toast({ ...message, href: addressOf(payment), linkText: "View payments" });
      return;
    }
    const { patrons } = roster;
    open({ event_id: payment.event_id, name: payment.event_name }, patrons ? { roster: patrons } : {});
    set({ notice: { tone: "good", text: `${message.title}. ${message.text}` } });
    life.announce(`${message.title}. Ready for the next payment.`);
  }

  /** @param {import("./form.js").Errors} errors */
  function complain(errors) {
    life.announce("");
    set({ phase: "editing", errors, refused: true });
    view.focus(firstError(errors) ?? "timestamp");
  }

  return { open, resume: life.resume, leave: life.leave };
}
