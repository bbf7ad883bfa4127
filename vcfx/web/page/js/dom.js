/** Elements and icons, made without markup strings: nothing that arrives over the wire is ever parsed as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** Paths of a 24 x 24 grid, drawn as lines. */
const ICONS = {
  mute: "M4 9v6h4l5 4V5L8 9H4Zm12.5 .5 5 5m0-5-5 5",
  voice: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5 11a7 7 0 0 0 14 0m-7 7v3",
  bypass: "M3 12h4m10 0h4M7 12c2 0 3-6 5-6s3 6 5 6M7 12h10",
  record: "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12Z",
  stop: "M7 7h10v10H7Z",
  panic: "M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.5v.5",
  previous: "M15 5 8 12l7 7",
  next: "m9 5 7 7-7 7",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  keys: "M3 7h18v10H3Zm3.5 3.2h.01m3.6 0h.01m3.7 0h.01m3.6 0h.01M7.5 14h9",
  again: "M19 12a7 7 0 1 1-2-5l2 2m0-5v5h-5",
  fold: "m6 9 6 6 6-6",
  close: "m6 6 12 12M18 6 6 18",
  power: "M12 4v8m-5-5.5a7.5 7.5 0 1 0 10 0",
  learn: "M3.5 6h17v12h-17ZM9.2 6v12m5.6-12v12",
  undo: "M8 5 4 9l4 4M4 9h10.5a5 5 0 0 1 0 10H9",
};

/**
 * Makes an element. Attributes: `text`, `class`, `on` (listeners by event), `dataset`; true and false set or leave out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "text") made.textContent = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === "dataset") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/**
 * Draws an icon for decoration; its button has the words.
 * @param {keyof typeof ICONS} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("class", `icon icon-${name}`);
  drawn.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawn.append(path);
  return drawn;
}

/**
 * The element with an id that index.html is known to hold.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element '${id}'`);
  return found;
}

/**
 * Writes text only where it differs, so that nothing is laid out again for nothing.
 * @param {Element} target
 * @param {string} text
 */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Sets an attribute only where it differs.
 * @param {Element} target
 * @param {string} name
 * @param {string | number | boolean} value
 */
export function mark(target, name, value) {
  const text = String(value);
  if (target.getAttribute(name) !== text) target.setAttribute(name, text);
}
