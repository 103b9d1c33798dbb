/**
 * Money as integer cents. Text typed by people is read exactly or refused; no float ever holds an amount.
 */

/** @typedef {{ok: true, cents: number, amount: string} | {ok: false, reason: string}} ParsedAmount */

const PLAIN = /^\d+(\.\d{0,2})?$/;
const GROUPED = /^\d{1,3}(,\d{3})+(\.\d{0,2})?$/;
const EXAMPLE = "Use digits like 1,234.50.";

/**
 * Reads an amount as a person types or pastes it: "$1,234.50", "50", ".5" and "50." all work.
 * A comma that is not a thousands separator ("1,23") could mean 1.23 or 123, so it is refused.
 * @param {string} text
 * @returns {ParsedAmount}
 */
export function parseAmount(text) {
  const trimmed = text
    .normalize("NFKC")
    .trim()
    .replace(/^(USD|US\$|\$)\s*/i, "")
    .replace(/\s*USD$/i, "");
  const bare = trimmed.startsWith(".") ? `0${trimmed}` : trimmed;
  if (bare === "") return refused("Enter an amount.");
  if (/^[-(−]/.test(bare)) return refused("Enter an amount above zero.");
  if (/\p{No}/u.test(text) || /[^\d.,]/.test(bare)) return refused(`That is not an amount. ${EXAMPLE}`);
  if (/^[\d,]*\.\d{3,}$/.test(bare)) return refused("Enter at most two digits after the decimal point.");
  if (/,/.test(bare) && !GROUPED.test(bare)) return refused(`The comma is ambiguous. ${EXAMPLE}`);
  const digits = bare.replaceAll(",", "");
  if (!PLAIN.test(digits)) return refused(`That is not an amount. ${EXAMPLE}`);
  const [dollars, fraction = ""] = digits.split(".");
  const cents = Number(dollars) * 100 + Number(fraction.padEnd(2, "0"));
  if (!Number.isSafeInteger(cents)) return refused("That amount is too large.");
  if (cents === 0) return refused("Enter an amount above zero.");
  return { ok: true, cents, amount: decimal(cents) };
}

/**
 * @param {number} cents
 * @returns {string} what the API takes and gives: "1234.50"
 */
export function decimal(cents) {
  const sign = cents < 0 ? "-" : "";
  const digits = String(Math.abs(cents)).padStart(3, "0");
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * @param {string} amount a decimal string from the API, "1234.50"
 * @returns {number} cents
 */
export function centsOf(amount) {
  const match = /^(-?)(\d+)\.(\d{2})$/.exec(amount);
  if (!match) throw new RangeError(`not a decimal amount: ${amount}`);
  return (match[1] ? -1 : 1) * (Number(match[2]) * 100 + Number(match[3]));
}

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

/**
 * @param {number} cents
 * @returns {string} "$1,234.50"
 */
export function formatCents(cents) {
  // Intl takes the decimal string as it is, so nothing is rounded by dividing by 100.
  return dollars.format(/** @type {any} */ (decimal(cents)));
}

/**
 * @param {number} cents
 * @returns {string} "1,234.50": for a field that already shows a dollar sign
 */
export function formatBare(cents) {
  return formatCents(cents).replace("$", "");
}

/** @param {string} text @returns {string} "$1,234.5" → "1,234.50"; what cannot be read stays as it was typed */
export function tidyAmount(text) {
  const amount = parseAmount(text);
  return amount.ok ? formatBare(amount.cents) : text;
}

/** @param {string} reason @returns {ParsedAmount} */
function refused(reason) {
  return { ok: false, reason };
}
