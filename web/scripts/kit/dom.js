/** Access to the markup of index.html: a misspelled name fails loudly, and text never becomes markup. */

/**
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {T}
 */
export function find(root, selector) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`index.html has no ${selector}`);
  return /** @type {T} */ (element);
}

/**
 * @param {string} id of a <template>
 * @returns {HTMLElement} a copy of its one element
 */
export function clone(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(document, `template#${id}`));
  return /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
}

/** @param {ParentNode} root @param {Record<string, string>} texts text by the element's `data-text` name */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) find(root, `[data-text="${name}"]`).textContent = text;
}

/** @param {ParentNode} root @param {string} name @param {boolean} shown toggles the element's `hidden` */
export function show(root, name, shown) {
  find(root, `[data-part="${name}"]`).hidden = !shown;
}

/** @param {ParentNode} root @param {string} name @returns {HTMLElement} the element with this `data-part` */
export function part(root, name) {
  return find(root, `[data-part="${name}"]`);
}

/** @param {HTMLTimeElement} element @param {number} ms @param {string} text @param {string} title */
export function setTime(element, ms, text, title) {
  element.dateTime = new Date(ms).toISOString();
  element.textContent = text;
  element.title = title;
}
