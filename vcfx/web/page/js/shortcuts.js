/** Keys that work anywhere on the page, and the dialog that names them. */

import { byId, element, icon } from "./dom.js";
import { startOrStop } from "./recording.js";
import { talk } from "./talk.js";

/** @import {Panel} from "./panel.js" */

/** @type {[string, string][]} */
const WORDS = [
  ["Space", "Hold to talk"], ["M", "Mute, or end it"], ["B", "Bypass: your unchanged voice, or end it"],
  ["R", "Start or stop a recording"], ["X", "Panic: silence at once"], ["N", "Next preset"], ["P", "Previous preset"],
  ["1 … 0", "Presets of the bank"], ["/", "Search presets and voices"], ["L", "MIDI learn"], ["T", "Light or dark"],
  ["?", "This help"],
];
/** @type {[string, string][]} */
const SLIDER_WORDS = [
  ["← →", "One hundredth of the range"], ["Shift ← →", "One thousandth"], ["Page Up, Down", "One tenth"],
  ["Delete", "Default; a double click does the same"], ["Enter", "Take the number that was typed; 1.2k is 1200"],
];

/** @param {Panel} panel */
export function listenForShortcuts(panel) {
  /** Space works a key that Tab has reached; after a click it talks. */
  let tabbed = false;
  document.addEventListener("pointerdown", () => { tabbed = false; }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab") tabbed = true;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === " ") {
      if (tabbed && isPressable(event.target)) return;
      event.preventDefault();
      if (!event.repeat) talk(panel, true);
    } else if (!event.repeat && press(panel, event.key)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (!tabbed || !isPressable(event.target)) event.preventDefault();
    talk(panel, false);
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement
    && (target.matches("input:not([type=range]), textarea, select") || target.isContentEditable);
}

/** @param {EventTarget | null} target */
function isPressable(target) {
  return target instanceof HTMLElement && target.matches("button, a, summary, [role=tab]");
}

/** Does what a key stands for; returns whether it stands for anything. @param {Panel} panel @param {string} key */
function press(panel, key) {
  /** @type {Record<string, () => unknown>} */
  const acts = {
    b: () => panel.ask({ type: "bypass", on: null }),
    m: () => panel.ask({ type: "mute", on: null }),
    n: () => panel.ask({ type: "step_preset", by: 1 }),
    p: () => panel.ask({ type: "step_preset", by: -1 }),
    r: () => startOrStop(panel),
    x: () => panel.ask({ type: "panic" }),
    t: () => document.dispatchEvent(new CustomEvent("themeswitch")),
    l: () => byId("midi-learn").hidden || byId("midi-learn").click(),
    "/": () => byId("search").focus(),
    "?": () => byId("help").click(),
  };
  const act = acts[key.toLowerCase()] ?? (/^[0-9]$/.test(key) ? () => choosePlace(panel, Number(key)) : null);
  act?.();
  return Boolean(act);
}

/** The tenth place has the key 0. @param {Panel} panel @param {number} digit */
function choosePlace(panel, digit) {
  const preset = panel.store.get().catalogue?.bank[(digit + 9) % 10];
  if (preset) void panel.ask({ type: "switch_preset", preset });
}

export function showHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help-dialog"));
  const close = element("button", { type: "button", class: "small icon-only", "aria-label": "Close" }, icon("close"));
  close.addEventListener("click", () => dialog.close());
  dialog.append(
    element("div", { class: "section-head" }, element("h2", { id: "help-title", text: "Keyboard" }), close),
    table(WORDS), element("h3", { text: "On a slider or number" }), table(SLIDER_WORDS));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  const key = byId("help");
  key.append(icon("keys"));
  key.addEventListener("click", () => dialog.showModal());
}

/** @param {[string, string][]} rows */
function table(rows) {
  return element("dl", { class: "shortcuts" }, ...rows.map(([key, words]) => element("div", {},
    element("dt", {}, element("kbd", { text: key })), element("dd", { text: words }))));
}
