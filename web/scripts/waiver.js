/** The form of the waiver page. The server renders the page; this sends the signature and reports the result. */

import { fill, find, setTime } from "./kit/dom.js";
import { formatUtc } from "./kit/time.js";
import { ProblemError, apiFetch } from "./server/api-fetch.js";

const signedAt = new Intl.DateTimeFormat("en-US", { dateStyle: "long", timeStyle: "short" });

const form = /** @type {HTMLFormElement} */ (find(document, "#sign"));
const button = /** @type {HTMLButtonElement} */ (find(form, "button[type=submit]"));
const problem = find(form, "#problem");
const receipt = find(document, "#signed");
const fields = ["name", "email"].map((name) => /** @type {HTMLInputElement} */ (find(form, `#${name}`)));
const missing = { name: "Enter your full name.", email: "Enter your e-mail." };
let busy = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
for (const field of fields) field.addEventListener("input", () => say(field, ""));
find(receipt, "#another").addEventListener("click", () => {
  form.reset();
  receipt.hidden = true;
  form.hidden = false;
  fields[0].focus();
});
form.hidden = false;

async function submit() {
  if (busy) return;
  complain("");
  for (const field of fields) say(field, "");
  const empty = fields.filter((field) => !field.value.trim());
  for (const field of empty) say(field, missing[/** @type {"name" | "email"} */ (field.name)]);
  if (empty.length) return empty[0].focus();
  setBusy(true);
  try {
    const body = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const path = /** @type {string} */ (form.getAttribute("action"));
    show((await apiFetch(path, { method: "POST", body })).data.waiver);
  } catch (error) {
    refuse(error);
  } finally {
    setBusy(false);
  }
}

/** @param {{name: string, email: string, signed_at: number}} waiver */
function show(waiver) {
  fill(receipt, { name: waiver.name, email: waiver.email });
  const when = /** @type {HTMLTimeElement} */ (find(receipt, "time"));
  setTime(when, waiver.signed_at, signedAt.format(waiver.signed_at), formatUtc(waiver.signed_at));
  form.hidden = true;
  receipt.hidden = false;
  find(receipt, "h2").focus(); // the button that had the focus is gone
}

/** @param {unknown} error */
function refuse(error) {
  const named = error instanceof ProblemError ? error.fields : [];
  const refused = fields.filter((field) => {
    const reason = named.find((each) => each.field === field.name);
    if (reason) say(field, reason.message);
    return reason;
  });
  if (refused.length) return refused[0].focus();
  const text = error instanceof Error ? error.message : String(error);
  complain(error instanceof ProblemError ? text : `${text} Press the button again; you can’t sign twice by mistake.`);
  button.focus();
}

/** @param {HTMLInputElement} field @param {string} text */
function say(field, text) {
  find(form, `#${field.id}-error`).textContent = text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/** @param {string} text about the form as a whole */
function complain(text) {
  problem.textContent = text;
  problem.hidden = text === "";
}

/** @param {boolean} on */
function setBusy(on) {
  busy = on;
  button.classList.toggle("busy", on);
  button.setAttribute("aria-disabled", String(on));
  for (const field of fields) field.readOnly = on;
}
