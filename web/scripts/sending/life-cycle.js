/**
 * The life of a dialog that sends a write: it opens with a new key, sends with that key as often as it takes, and
 * closes once the write's fate is known. What it asks and says differs from form to form; this does not.
 */

import { closeDialog, confirmLeaving, guardDialog, openDialog } from "../kit/dialog.js";
import { find, part } from "../kit/dom.js";
import { serverNow } from "../server/api-fetch.js";
import { findFate, submit, unknown } from "./submission.js";

/** @typedef {import("./pending.js").Body} Body */
/** @typedef {"editing" | "submitting" | "unknown" | "duplicate" | "ended"} Phase ended: there is nothing left to write */
/**
 * @template {object} D
 * @typedef {import("./pending.js").Pending<D>} Pending
 */

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @template {object} D
 * @template A
 * @param {HTMLDialogElement} dialog
 * @param {import("../session/session.js").Session} session
 * @param {DialogWrite<D, A>} write
 * @param {DialogForm<D, A>} form
 */
export function createLifeCycle(dialog, session, { store, post, search, texts, questions }, form) {
  /** @type {Pending<D> | null} from the form's opening until its fate is known */
  let pending = null;
  let duplicates = /** @type {Payment[]} */ ([]);
  let checking = new AbortController();

  /** Speaks to screen readers inside the dialog. @param {string} text */
  const announce = (text) => {
    part(dialog, "status").textContent = text;
  };

  /** Why the fate is unknown, or what is being done about it. @param {string} text */
  const explain = (text) => {
    part(dialog, "unknown-reason").textContent = text;
  };

  /** @param {Body} body */
  async function send(body) {
    if (!pending || form.phase() === "submitting") return;
    pending.body = body;
    await sendAgain();
  }

  async function sendAgain() {
    if (!pending?.body || form.phase() === "submitting") return;
    checking.abort();
    form.enter("submitting");
    pending.sentAt = Date.now();
    store.keep(pending);
    const sent = { ...pending };
    announce(texts.sending);
    find(dialog, "[type=submit]").focus();
    try {
      await follow(await submit(pending.body, sent.key, {
        post(body, key) {
          sent.sentAt = Date.now(); // an earlier attempt is no longer at work, the latest may be
          if (pending) store.keep(Object.assign(pending, { sentAt: sent.sentAt }));
          return post(body, key, sent);
        },
        wait,
        now: serverNow,
      }));
    } catch (error) {
      doubt(sent, error);
    }
  }

  /** @param {Outcome<A>} outcome */
  async function follow(outcome) {
    switch (outcome.kind) {
      case "saved":
        return saved(outcome.answer);
      case "unknown":
        return becomeUnknown(outcome.message);
      case "signed-out":
        await session.requireSignIn(texts.signedOut);
        form.enter("editing");
        return sendAgain();
      case "duplicate":
        duplicates = outcome.entries;
        forgetBody();
        form.enter("duplicate");
        form.doubted(duplicates);
        return part(dialog, "duplicate-cancel").focus();
      case "busy":
        forgetBody();
        return form.refused({ status: 429, fields: [], message: texts.busy });
      case "refused":
        forgetBody();
        return form.refused(outcome);
    }
  }

  /** Looks up by the key whether the write is in the ledger. */
  async function check() {
    if (!pending?.body || !search) return;
    const sent = { ...pending };
    checking.abort();
    checking = new AbortController();
    const { signal } = checking;
    explain("Asking the server whether it was saved…");
    const fate = await findFate(pending.key, pending.sentAt, {
      lookUp: (key) => session.call(() => search.lookUp(key)),
      wait,
      now: Date.now,
      undecided() {
        if (signal.aborted) return;
        reopen();
        explain("It is not in the ledger yet, but may still be on its way. Looking again…");
      },
      signal,
    });
    if (signal.aborted) return;
    try {
      if (fate.kind === "saved") return saved(fate.answer);
    } catch (error) {
      return doubt(sent, error);
    }
    reopen();
    if (fate.kind === "unknown") return explain(fate.message);
    forgetBody();
    search.notSaved(texts.notSaved ?? "");
    announce(texts.notSaved ?? "");
    find(dialog, "[type=submit]").focus();
  }

  /** @param {A} answer */
  function saved(answer) {
    store.clear();
    pending = null;
    form.saved(answer);
  }

  /** @param {string} reason */
  function becomeUnknown(reason) {
    form.enter("unknown");
    explain(reason);
    announce("");
    part(dialog, "retry").focus();
  }

  /**
   * An answer that cannot be shown proves nothing: the write is as it was when it was sent.
   * @param {Pending<D>} sent
   * @param {unknown} error
   */
  function doubt(sent, error) {
    pending = sent;
    store.keep(sent);
    reopen();
    becomeUnknown(unknown(error).message);
  }

  /** Shows a write that was sent and whose fate is unknown. */
  function reopen() {
    if (dialog.open || !pending?.body) return;
    form.restore(pending, pending.body);
    becomeUnknown("You left the page before the server answered.");
  }

  /** The server stored nothing, so the same key may go with what is typed next. */
  function forgetBody() {
    if (pending) {
      pending.body = null;
      store.keep(pending);
    }
    announce("");
  }

  function close() {
    store.clear();
    pending = null;
    checking.abort();
    form.closed();
    closeDialog(dialog);
  }

  /** @returns {Promise<boolean>} whether the dialog is closed now */
  async function leave(byEscape = false) {
    if (!dialog.open) return true;
    const phase = form.phase();
    if (phase === "submitting") return false;
    if (phase === "unknown") {
      if (await confirmLeaving(questions.unknown)) {
        if (search) await check();
        else close();
      }
      return !dialog.open;
    }
    if (phase === "duplicate" && byEscape) {
      form.reconsider();
      return false;
    }
    if (phase !== "ended" && form.isTouched() && !(await confirmLeaving(questions.discard))) return false;
    close();
    return true;
  }

  guardDialog(dialog, (byEscape) => void leave(byEscape));
  part(dialog, "retry").addEventListener("click", () => void sendAgain());
  part(dialog, "duplicate-cancel").addEventListener("click", () => form.reconsider());
  part(dialog, "duplicate-log").addEventListener("click", () => {
    form.enter("editing");
    form.insist(duplicates.map(({ payment_id: id }) => id));
  });
  addEventListener("beforeunload", (event) => {
    const phase = form.phase();
    if (dialog.open && phase !== "ended" && (phase !== "editing" || form.isTouched())) event.preventDefault();
  });

  return {
    announce,
    send,
    close,
    leave: () => leave(),
    get pending() {
      return pending;
    },

    /** Gives the next write its key. @param {D} details @returns {boolean} false while an earlier one has no known fate */
    begin(details) {
      if (!session.user) return false;
      if (pending) {
        reopen(); // first things first
        return false;
      }
      pending = store.mint(session.user.email, details);
      return true;
    },

    /** Shows the form that `begin` gave its key, or that `restore` filled. */
    show() {
      duplicates = [];
      announce("");
      openDialog(dialog);
    },

    /** Takes up a write that was sent before this page was loaded. @param {Pending<D>} unresolved */
    async resume(unresolved) {
      if (pending) return;
      pending = unresolved;
      if (search) await check();
      else reopen();
    },
  };
}
