/** A field for an amount: bare digits while it is edited, tidy once it is left. */

import { decimal, parseAmount, tidyAmount } from "./money.js";

/**
 * @param {HTMLInputElement} input
 * @param {{edited: (text: string) => void, left?: () => void}} handlers
 */
export function createAmountField(input, { edited, left }) {
  input.addEventListener("input", () => edited(input.value));
  input.addEventListener("focus", () => {
    const parsed = parseAmount(input.value);
    if (parsed.ok) input.value = decimal(parsed.cents);
    input.select();
  });
  input.addEventListener("blur", () => {
    input.value = tidyAmount(input.value);
    left?.();
  });
  return {
    /** @param {string} text */
    reset(text) {
      input.value = tidyAmount(text);
    },
  };
}
