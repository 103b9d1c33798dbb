/** Payments as a CSV file: of one event at once, of a range of days after asking for the range. */

import { closeDialog, guardDialog, openDialog } from "../kit/dialog.js";
import { fill, find, part } from "../kit/dom.js";
import { toast } from "../kit/toast.js";
import { ProblemError, serverNow } from "../server/api-fetch.js";
import { exportPayments } from "../server/api.js";
import { dayIn, monthBack, zoneWords } from "./days.js";
import { explain } from "./states.js";

/** @typedef {import("../session/session.js").Session} Session */

/**
 * @param {Session} session
 * @param {HTMLElement} button shows the progress
 * @param {string} eventId
 * @param {AbortSignal} signal
 */
export async function downloadEvent(session, button, eventId, signal) {
  try {
    await download(session, button, { event_id: eventId }, `payments-${eventId}.csv`, signal);
  } catch (error) {
    if (!signal.aborted) toast({ title: "The payments could not be exported", text: explain(error), tone: "problem" });
  }
}

/** @param {Session} session */
export function createExportDialog(session) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#export-dialog"));
  const form = find(dialog, "form");
  const button = find(dialog, "button[type=submit]");
  const [from, to] = /** @type {HTMLInputElement[]} */ ([find(dialog, "#export-from"), find(dialog, "#export-to")]);
  const error = find(dialog, "#export-error");
  let loading = new AbortController();

  /** @param {string} text @param {HTMLInputElement | null} field */
  const say = (text, field) => {
    error.textContent = text;
    for (const input of [from, to]) input.toggleAttribute("aria-invalid", false);
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  };

  const leave = () => {
    loading.abort();
    closeDialog(dialog);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!from.value) return say("Choose the first day.", from);
    if (!to.value) return say("Choose the last day.", to);
    if (to.value < from.value) return say("The last day is before the first.", to);
    say("", null);
    loading = new AbortController();
    const { signal } = loading;
    try {
      const name = `payments-${from.value}-to-${to.value}.csv`;
      if (await download(session, button, { from: from.value, to: to.value }, name, signal)) leave();
    } catch (reason) {
      if (signal.aborted) return;
      const field = reason instanceof ProblemError ? reason.fields[0]?.field : undefined;
      say(reason instanceof ProblemError ? reason.message : explain(reason), { from, to }[field ?? ""] ?? null);
    }
  });
  guardDialog(dialog, leave);
  part(dialog, "this-month").addEventListener("click", () => setMonth(0));
  part(dialog, "last-month").addEventListener("click", () => setMonth(1));

  /** @param {number} back */
  function setMonth(back) {
    [from.value, to.value] = monthBack(dayIn(serverNow(), session.timezone), back);
    say("", null);
  }

  return {
    leave,
    open() {
      if (!from.value) setMonth(0);
      fill(dialog, { zone: zoneWords(session.timezone) });
      say("", null);
      openDialog(dialog);
      from.focus();
    },
  };
}

/**
 * @param {Session} session
 * @param {HTMLElement} button
 * @param {{event_id: string} | {from: string, to: string}} wanted
 * @param {string} name of the file
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} false when a download is already running
 */
async function download(session, button, wanted, name, signal) {
  if (button.classList.contains("busy")) return false;
  const label = part(button, "label");
  const idle = label.textContent;
  button.classList.add("busy");
  button.setAttribute("aria-disabled", "true");
  label.textContent = "Preparing…";
  try {
    const { file, problems } = await session.call(() => exportPayments(wanted, (bytes) => {
      label.textContent = `${Math.ceil(bytes / 1024)} KB…`;
    }, signal));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    toast(problems ? { title: "Payments exported, with problems", text: describeProblems(problems), tone: "problem" }
      : { title: "Payments exported", text: name });
    return true;
  } finally {
    button.classList.remove("busy");
    button.removeAttribute("aria-disabled");
    label.textContent = idle;
  }
}

/** @param {number} count */
function describeProblems(count) {
  const rows = count === 1 ? "1 row of the file is" : `${count} rows of the file are`;
  return `${rows} not as written: see the column “problem”, and tell operations.`;
}
