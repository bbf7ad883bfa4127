/** Push to talk: held by pointer, by key on the button, or by Space anywhere; never left held by accident. */

import { note } from "./notices.js";

/** @import {Panel} from "./panel.js" */

let held = false;

/**
 * The talk key went down or up.
 * @param {Panel} panel
 * @param {boolean} down
 */
export function talk(panel, down) {
  if (down === held) return;
  held = down;
  if (down && panel.store.get().state?.talk_mode === "open") {
    note("Push to talk is on: you are heard while you hold the key. Open mic ends it.");
  }
  void panel.ask({ type: "push_to_talk", held: down });
}

/**
 * Let a button be held to talk.
 * @param {Panel} panel
 * @param {HTMLElement} key
 */
export function holdToTalk(panel, key) {
  key.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    key.setPointerCapture(event.pointerId);
    talk(panel, true);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    key.addEventListener(end, () => talk(panel, false));
  }
  key.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is no menu
  key.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.repeat) talk(panel, true);
  });
  key.addEventListener("keyup", (event) => {
    if (event.key === "Enter") talk(panel, false);
  });
  window.addEventListener("blur", () => talk(panel, false));
  window.addEventListener("pagehide", () => talk(panel, false));
  document.addEventListener("visibilitychange", () => document.hidden && talk(panel, false));
  panel.store.watch((shown) => shown.connection, (connection) => {
    if (connection !== "live") held = false; // the server lets go of what a lost client held
  });
}
