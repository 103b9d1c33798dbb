/** The ways to pay as a group of radio buttons. */

import { clone, fill, find, show } from "../kit/dom.js";
import { METHODS, titleOf } from "./methods.js";

/**
 * @param {HTMLElement} group the radiogroup to fill
 * @param {string} name of the radio buttons
 * @param {(method: Method) => void} chosen
 * @param {{shortcuts?: boolean}} [options] shortcuts: show the digit that chooses each
 */
export function createMethodTiles(group, name, chosen, { shortcuts = false } = {}) {
  const methods = /** @type {Method[]} */ (Object.keys(METHODS));
  const radios = methods.map((method, index) => {
    const tile = clone("method-template");
    fill(tile, { label: titleOf(method), shortcut: String(index + 1) });
    show(tile, "shortcut", shortcuts);
    find(tile, "use").setAttribute("href", `#${METHODS[method].icon}`);
    const radio = /** @type {HTMLInputElement} */ (find(tile, "input"));
    radio.name = name;
    radio.value = method;
    radio.addEventListener("change", () => chosen(method));
    group.append(tile);
    return radio;
  });

  return {
    /** Focuses the chosen one, or the first. */
    focus: () => (radios.find(({ checked }) => checked) ?? radios[0]).focus(),

    /** @param {Method | ""} method */
    reset(method) {
      for (const radio of radios) radio.checked = radio.value === method;
    },

    /** Chooses as a click does. @param {number} index @returns {boolean} whether there is such a method */
    choose(index) {
      const radio = radios[index];
      if (!radio) return false;
      radio.checked = true;
      radio.focus();
      chosen(methods[index]);
      return true;
    },
  };
}
