/**
 * The patron field: an ARIA combobox with a list popup over the roster (WAI-ARIA Authoring Practices, "Editable
 * Combobox With List Autocomplete"). Only people on the roster can be chosen.
 */

import { clone, fill, find } from "../kit/dom.js";
import { exactPatron, matchRoster } from "./search.js";

const SHOWN = 50;

/**
 * @param {HTMLElement} root holds the input and the listbox
 * @param {object} owner
 * @param {() => readonly Patron[] | null} owner.roster null while it is being loaded
 * @param {(patron: Patron) => string} owner.aside text at the right of an option: what was already logged
 * @param {(patron: Patron | null, text: string) => void} owner.changed
 */
export function createPatronField(root, { roster, aside, changed }) {
  const input = /** @type {HTMLInputElement} */ (find(root, "[role=combobox]"));
  const list = find(root, "[role=listbox]");
  const popup = find(root, "[data-part=popup]");
  const empty = find(root, "[data-part=no-match]");
  const status = find(root, "[data-part=matches]");
  /** @type {Patron[]} */
  let options = [];
  let active = -1;
  /** @type {Patron | null} */
  let chosen = null;

  const isOpen = () => !popup.hidden;

  const close = () => {
    popup.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    status.textContent = "";
  };

  /** @param {number} index */
  const activate = (index) => {
    active = index;
    [...list.children].forEach((option, position) => {
      option.setAttribute("aria-selected", String(position === index));
      if (position === index) option.scrollIntoView({ block: "nearest" });
    });
    if (index >= 0) input.setAttribute("aria-activedescendant", list.children[index].id);
    else input.removeAttribute("aria-activedescendant");
  };

  const open = () => {
    const people = roster();
    options = people ? matchRoster(people, chosen ? "" : input.value).slice(0, SHOWN) : [];
    list.replaceChildren(...options.map((patron, index) => {
      const option = clone("patron-option-template");
      option.id = `${list.id}-${index}`;
      fill(option, { name: patron.name, email: patron.email, aside: aside(patron) });
      return option;
    }));
    list.hidden = options.length === 0;
    empty.hidden = options.length > 0;
    empty.textContent = people
      ? people.length ? "No match on this event’s roster." : "This event’s roster is empty."
      : "Loading the roster…";
    popup.hidden = false;
    input.setAttribute("aria-expanded", String(options.length > 0));
    status.textContent = options.length
      ? `${options.length} ${options.length === 1 ? "patron" : "patrons"}`
      : (empty.textContent ?? "");
    // While someone types, Enter chooses the best match.
    activate(options.length && !chosen && input.value.trim() ? 0 : -1);
  };

  /** @param {Patron} patron */
  const choose = (patron) => {
    chosen = patron;
    input.value = patron.name;
    close();
    changed(patron, patron.name);
  };

  input.addEventListener("input", () => {
    chosen = null;
    changed(null, input.value);
    open();
  });
  input.addEventListener("click", () => !isOpen() && !input.readOnly && open());
  input.addEventListener("blur", () => {
    const meant = chosen ?? exactPatron(roster() ?? [], input.value);
    close();
    if (meant && meant !== chosen) choose(meant);
  });
  input.addEventListener("keydown", (event) => {
    if (input.readOnly || event.isComposing) return;
    const last = options.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen()) open();
      if (options.length === 0) return;
      if (event.key === "ArrowDown") activate(active >= options.length - 1 ? 0 : active + 1);
      else activate(active <= 0 ? options.length - 1 : active - 1);
    } else if (event.key === "Enter" && isOpen()) {
      event.preventDefault(); // chooses; the next Enter sends the form
      if (active >= 0) choose(options[active]);
    } else if (event.key === "Tab" && isOpen() && active >= 0) {
      choose(options[active]);
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      close();
    } else if (isOpen() && event.ctrlKey && (event.key === "Home" || event.key === "End") && last >= 0) {
      event.preventDefault();
      activate(event.key === "Home" ? 0 : last);
    }
  });
  // mousedown would move the focus away and close the list before the click arrives.
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = /** @type {Element} */ (event.target).closest("[role=option]");
    if (option) choose(options[[...list.children].indexOf(option)]);
  });

  return {
    input,
    close,
    /** The roster or the totals arrived: an open list shows them and keeps its active option. */
    refresh() {
      if (!isOpen()) return;
      const before = options[active]?.email;
      open();
      const index = options.findIndex(({ email }) => email === before);
      if (index >= 0) activate(index);
    },
    /** @param {Patron | null} patron @param {boolean} locked */
    reset(patron, locked) {
      chosen = patron;
      input.value = patron?.name ?? "";
      input.readOnly = locked;
      close();
    },
  };
}
