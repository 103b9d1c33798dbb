/**
 * The ways to pay: their one home in the browser, in the order in which forms offer them. The server's is
 * `shared/methods.py`.
 */

/**
 * @typedef {object} MethodFacts
 * @property {string} label as in the middle of a sentence: "$50.00 cash"
 * @property {string} icon id of a <symbol> in index.html
 * @property {{label: string, hint: string, required: boolean, missing: string} | null} reference null when there is none
 */

export const METHODS = /** @satisfies {Record<string, MethodFacts>} */ ({
  credit_card: {
    label: "credit card",
    icon: "icon-card",
    reference: { label: "Last 4 or auth code", hint: "Optional. Never the full card number.", required: false, missing: "" },
  },
  cash: { label: "cash", icon: "icon-cash", reference: null },
  check: {
    label: "check",
    icon: "icon-check-slip",
    reference: {
      label: "Check number",
      hint: "Required. Printed at the top right of the check.",
      required: true,
      missing: "Enter the check number.",
    },
  },
  ach: {
    label: "ACH",
    icon: "icon-bank",
    reference: { label: "ACH trace number", hint: "Optional. 15 digits from the bank.", required: false, missing: "" },
  },
});

/** @param {Method} method @returns {string} its label; a method that this copy does not know keeps its own name */
export function labelOf(method) {
  return METHODS[method]?.label ?? method;
}

/** @param {Method} method @returns {string} the label as it starts a line */
export function titleOf(method) {
  const label = labelOf(method);
  return label.charAt(0).toUpperCase() + label.slice(1);
}
