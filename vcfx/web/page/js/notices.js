/** Short sentences at the edge of the page, read out by screen readers: refusals at once, notes when there is time. */

import { byId, element, icon } from "./dom.js";

const REFUSAL_MS = 9_000;
const NOTE_MS = 5_000;
const MOST = 3;

/** @param {string} text */
export function refuse(text) {
  show(byId("refusals"), "refusal", text, REFUSAL_MS);
}

/** @param {string} text */
export function note(text) {
  show(byId("notes"), "note", text, NOTE_MS);
}

/**
 * @param {HTMLElement} region
 * @param {string} kind
 * @param {string} text
 * @param {number} forMs
 */
function show(region, kind, text, forMs) {
  const same = [...region.children].find((each) => each.firstElementChild?.textContent === text);
  same?.remove();
  const close = element("button", { type: "button", class: "small icon-only", "aria-label": "Dismiss" }, icon("close"));
  const notice = element("div", { class: `notice ${kind}` }, element("p", { text }), close);
  close.addEventListener("click", () => notice.remove());
  region.append(notice);
  while (region.children.length > MOST) region.firstElementChild?.remove();
  setTimeout(() => notice.remove(), forMs);
}
