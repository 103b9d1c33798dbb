/** Text as people type it and as the ledger keeps it. */

export const CARD_REFUSAL = "Do not enter card numbers; the last four digits are enough.";

/**
 * @param {string} text
 * @returns {string} lower case without diacritics or apostrophe variants: "Séamus O’Brien" → "seamus o'brien"
 */
export function fold(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[’‘`´]/g, "'")
    .replaceAll("ß", "ss")
    .replaceAll("ø", "o")
    .replaceAll("Ø", "O")
    .replaceAll("ł", "l")
    .replaceAll("Ł", "L")
    .toLowerCase()
    .trim();
}

/** @param {string} text @returns {number} characters as people and the server count them, not UTF-16 units */
export function characters(text) {
  return [...text].length;
}

/** @param {string} text @returns {string} on one line, as the ledger keeps notes */
export function oneLine(text) {
  return text.trim().replace(/\s+/g, " ");
}

/**
 * Warns before anything is sent; the server checks again. Issuers' prefixes keep ACH trace numbers out: those also
 * have 15 digits, but begin with a bank's routing number, never with 34 or 37.
 * @param {string} text
 * @returns {boolean} 13 to 19 digits, separators aside, with a card's prefix and a valid Luhn digit
 */
export function looksLikeCard(text) {
  const runs = text.normalize("NFKC").match(/\d(?:[ .\-_/]*\d){12,18}/g) ?? [];
  return runs.map((run) => run.replace(/\D/g, "")).some((digits) =>
    (digits.length === 15 ? /^3[47]/ : /^[2-6]/).test(digits) && luhn(digits));
}

/** @param {string} digits */
function luhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
