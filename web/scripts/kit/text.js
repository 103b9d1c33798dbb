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
 * Check numbers in their order are none. The server knows more groupings.
 * @param {string} text
 * @returns {boolean}
 */
export function looksLikeCard(text) {
  const runs = text.normalize("NFKC")
    .match(/(?<!\d)(?:\d{14,19}|\d{4}([ .-])\d{4}\1\d{4}\1\d{4}|\d{4}([ .-])\d{6}\2\d{5})(?!\d)/g) ?? [];
  return runs.some((run) => {
    const [first, second] = run.split(/\D/).map(Number), digits = run.replace(/\D/g, "");
    return !(second > first && second < first + 100) &&
      (digits.length === 15 ? /^3[47]/ : /^(?:4|5[0-8]|2[2-7]|3[05689]|6)/).test(digits) && luhn(digits);
  });
}

/** @param {string} digits */
function luhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
