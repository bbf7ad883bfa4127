/** MIDI: a learn key beside each control while learning is switched on, and what the map holds. */

import { byId, element, icon, mark, write } from "./dom.js";

/** @import {Panel} from "./panel.js" */
/** @import {Midi} from "./types.js" */

/** @type {Set<() => void>} */
const keys = new Set();

/**
 * A small key beside a control, seen while learning: press it, then move what shall work the control.
 * @param {Panel} panel
 * @param {string} target as MIDI maps spell it
 * @param {string} words
 * @returns {HTMLElement}
 */
export function learnKey(panel, target, words) {
  const bound = element("span", { class: "bound" });
  const key = element("button", {
    type: "button", class: "learn", dataset: { target },
    on: { click: () => {
      const waiting = panel.store.get().state?.midi?.learning === target;
      void panel.ask({ type: "learn_midi", target: waiting ? "" : target });
    } },
  }, icon("learn"), bound);
  const draw = () => {
    const midi = panel.store.get().state?.midi;
    const trigger = midi?.bindings.find((binding) => binding.target === target)?.trigger ?? "";
    const waiting = midi?.learning === target;
    mark(key, "aria-pressed", waiting);
    mark(key, "data-bound", Boolean(trigger));
    write(bound, waiting ? "move it…" : trigger.replace(/^control /, "CC "));
    mark(key, "aria-label", `MIDI for ${words}: ${waiting ? "waiting for an event" : trigger || "none"}`);
  };
  draw();
  redrawWhileShown(key, draw);
  return key;
}

/** Draws again with every change of the MIDI state until the key has left the page. @param {HTMLElement} key @param {() => void} draw */
function redrawWhileShown(key, draw) {
  let shown = false;
  const again = () => {
    shown ||= key.isConnected;
    if (shown && !key.isConnected) keys.delete(again);
    else draw();
  };
  keys.add(again);
}

/** @param {Panel} panel */
export function showMidi(panel) {
  const switchKey = byId("midi-learn");
  const section = byId("midi");
  const map = element("span", { class: "quiet" });
  const ports = element("ul", { class: "ports" });
  const event = element("p", { class: "midi-event", role: "status" });
  const bindings = element("ul", { class: "bindings", tabindex: 0, "aria-label": "What the map holds" });
  section.append(
    element("div", { class: "section-head" }, element("h2", { id: "midi-title", text: "MIDI" }), map),
    ports, event, bindings);
  switchKey.addEventListener("click", () => setLearning(panel, !panel.store.get().learning));
  panel.store.watch((shown) => shown.learning, (learning) => {
    mark(switchKey, "aria-pressed", learning);
    document.body.classList.toggle("learning", learning);
  });
  panel.store.watch((shown) => shown.state?.midi, (midi) => {
    switchKey.hidden = section.hidden = !midi;
    for (const draw of [...keys]) draw();
    if (!midi) {
      panel.store.set({ learning: false });
      return;
    }
    write(map, midi.map);
    write(event, midi.problem || (midi.learning ? `Waiting for ${midi.learning}` : midi.last_event || "No event yet"));
    list(ports, midi.ports.map((port) => `${port.name}${port.connected ? "" : " (not there)"}`));
    list(bindings, midi.bindings.map((binding) => `${binding.trigger} → ${binding.target}`));
    bindings.hidden = midi.bindings.length === 0;
  });
}

/** @param {HTMLElement} target @param {string[]} lines */
function list(target, lines) {
  if ([...target.children].map((line) => line.textContent).join("\n") === lines.join("\n")) return;
  target.replaceChildren(...lines.map((text) => element("li", { text })));
}

/** @param {Panel} panel @param {boolean} learning */
function setLearning(panel, learning) {
  panel.store.set({ learning });
  if (!learning && panel.store.get().state?.midi?.learning) void panel.ask({ type: "learn_midi", target: "" });
}
