/** Recording: which side, how long already, into which file. */

import { byId, element, mark, write } from "./dom.js";

/** @import {Panel} from "./panel.js" */
/** @import {Recording} from "./types.js" */

const SIDES = { wet: "After", dry: "Before", both: "Both" };
/** @type {keyof typeof SIDES} */
let sides = "wet";

/** Start to record what is chosen, or end the recording. @param {Panel} panel */
export function startOrStop(panel) {
  const running = isRunning(panel.store.get().state?.recording);
  void panel.ask(running ? { type: "stop_recording" } : { type: "start_recording", sides, path: null });
}

/** @param {Recording | null | undefined} recording */
function isRunning(recording) {
  return Boolean(recording && !recording.problem);
}

/** @param {Panel} panel */
export function showRecording(panel) {
  const time = element("span", { class: "time", role: "timer", "aria-label": "Recorded time", text: "0:00" });
  const file = element("p", { class: "quiet file" });
  const keys = Object.entries(SIDES).map(([side, text]) => element("button", {
    type: "button", text, dataset: { side },
    on: { click: () => { sides = /** @type {keyof typeof SIDES} */ (side); drawSides(); } },
  }));
  const drawSides = () => {
    for (const key of keys) mark(key, "aria-pressed", key.dataset.side === sides);
  };
  byId("recording").append(
    element("div", { class: "section-head" }, element("h2", { id: "recording-title", text: "Recording" }), time),
    element("div", { class: "row" },
      element("span", { class: "name", id: "sides", text: "Record" }),
      element("div", { class: "segments", role: "group", "aria-labelledby": "sides" }, ...keys)),
    file);
  drawSides();

  let seconds = 0, since = 0;
  const draw = () => {
    const running = isRunning(panel.store.get().state?.recording);
    const total = Math.floor(seconds + (running ? (performance.now() - since) / 1_000 : 0));
    const text = `${Math.floor(total / 60)}:${String(total % 60).padStart(2, "0")}`;
    write(time, text);
  };
  panel.store.watch((shown) => shown.state?.recording, (recording) => {
    seconds = recording?.seconds ?? 0;
    since = performance.now();
    const running = isRunning(recording);
    for (const key of keys) mark(key, "aria-disabled", running);
    mark(byId("recording"), "data-running", running);
    mark(file, "data-problem", Boolean(recording?.problem));
    const names = recording?.paths.map((path) => path.split(/[\\/]/).pop()).join(", ");
    write(file, recording?.problem || names || "Goes into your music folder, as FLAC");
    file.title = recording?.paths.join("\n") ?? "";
    draw();
  });
  setInterval(draw, 250);
}
