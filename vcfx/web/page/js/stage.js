/** What runs now, in large letters, and the keys a person on air reaches for. */

import { byId, element, icon, mark, write } from "./dom.js";
import { learnKey } from "./midi.js";
import { startOrStop } from "./recording.js";
import { holdToTalk } from "./talk.js";

/** @import {Panel} from "./panel.js" */
/** @import {LiveState} from "./types.js" */

const TALK_MODES = { open: "You are always heard", push: "You are heard while you hold Talk or Space" };

/** @param {Panel} panel */
export function showStage(panel) {
  showNow(panel);
  const keys = byId("keys");
  const mute = bigKey("mute", "Mute", "M", () => void panel.ask({ type: "mute", on: null }));
  const bypass = bigKey("bypass", "Bypass", "B", () => void panel.ask({ type: "bypass", on: null }));
  const talk = bigKey("voice", "Talk", "Space", () => {});
  const record = bigKey("record", "Record", "R", () => startOrStop(panel));
  const panic = bigKey("panic", "Panic", "X", () => void panel.ask({ type: "panic" }));
  panic.classList.add("panic");
  record.classList.add("recorder");
  holdToTalk(panel, talk);
  /** @type {[HTMLElement, string, string][]} */
  const targets = [
    [talk, "push-to-talk", "push to talk"], [mute, "mute", "mute"], [bypass, "bypass", "bypass"],
    [record, "record", "recording"], [panic, "panic", "panic"],
  ];
  for (const [key, target, words] of targets) {
    keys.append(element("div", { class: "key-place" }, key, learnKey(panel, target, words)));
  }
  showTalkMode(panel);
  panel.store.watch((shown) => shown.state, (state) => {
    if (!state) return;
    mark(mute, "aria-pressed", state.muted);
    mark(bypass, "aria-pressed", state.bypassed);
    mark(talk, "aria-pressed", state.talking && state.talk_mode === "push");
    mark(talk, "data-mode", state.talk_mode);
    const recording = Boolean(state.recording && !state.recording.problem);
    mark(record, "aria-pressed", recording);
    write(words(mute), state.muted ? "Muted" : "Mute");
    write(words(bypass), state.bypassed ? "Bypassed" : "Bypass");
    write(words(talk), talkWords(state));
    if (words(record).textContent !== (recording ? "Stop" : "Record")) {
      write(words(record), recording ? "Stop" : "Record");
      record.firstElementChild?.replaceWith(icon(recording ? "stop" : "record"));
    }
  });
}

/** @param {Panel} panel */
function showTalkMode(panel) {
  const keys = Object.entries({ open: "Open mic", push: "Push" }).map(([mode, text]) => element("button", {
    type: "button", text, dataset: { mode }, title: TALK_MODES[/** @type {"open" | "push"} */ (mode)],
    on: { click: () => void panel.ask({ type: "talk_mode", mode }) },
  }));
  byId("talk-mode").append(...keys);
  panel.store.watch((shown) => shown.state?.talk_mode, (mode) => {
    for (const key of keys) mark(key, "aria-pressed", key.dataset.mode === mode);
  });
}

/** @param {LiveState} state */
function talkWords(state) {
  if (state.talk_mode === "open") return "Talk";
  return state.talking ? "Talking" : "Hold to talk";
}

/** @param {Element} key */
function words(key) {
  return /** @type {Element} */ (key.querySelector(".key-words"));
}

/**
 * @param {Parameters<typeof icon>[0]} drawn
 * @param {string} text
 * @param {string} shortcut
 * @param {() => void} pressed
 */
function bigKey(drawn, text, shortcut, pressed) {
  return element("button", {
    type: "button", class: "big-key", "aria-keyshortcuts": shortcut, id: `key-${text.toLowerCase()}`,
    on: { click: pressed },
  }, icon(drawn), element("span", { class: "key-words", text }), element("kbd", {
    "aria-hidden": "true", text: shortcut === "Space" ? "␣" : shortcut,
  }));
}

/** @param {Panel} panel */
function showNow(panel) {
  const previous = byId("previous");
  const next = byId("next");
  previous.append(icon("previous"));
  next.append(icon("next"));
  previous.addEventListener("click", () => void panel.ask({ type: "step_preset", by: -1 }));
  next.addEventListener("click", () => void panel.ask({ type: "step_preset", by: 1 }));
  byId("revert").append(icon("undo"));
  byId("revert").addEventListener("click", () => {
    const preset = panel.store.get().state?.preset_name;
    if (preset) void panel.ask({ type: "switch_preset", preset });
  });
  panel.store.watch((shown) => shown.catalogue, () => showVoice(panel));
  panel.store.watch((shown) => shown.state, (state) => {
    if (!state) return;
    showVoice(panel);
    write(byId("now"), state.preset || "No preset");
    mark(byId("now"), "data-changed", state.changed);
    byId("revert").hidden = !(state.changed && state.preset_name);
    document.title = `${state.muted ? "Muted" : state.preset || "vcfx"} · vcfx`;
  });
}

/** @param {Panel} panel */
function showVoice(panel) {
  const { state, catalogue } = panel.store.get();
  const title = catalogue?.voices.find((voice) => voice.name === state?.voice)?.title;
  write(byId("now-voice"), state?.voice ? `Voice of ${title ?? state.voice}` : "Your own voice");
}
