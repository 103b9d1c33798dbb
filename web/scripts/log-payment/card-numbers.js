/** Recognizing a card number before it is sent. No DOM, no clock, no network. */

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
