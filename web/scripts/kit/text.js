/** Text as people type it and as the ledger keeps it. */

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
