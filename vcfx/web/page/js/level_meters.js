/** Levels before and after: peak, RMS, a held peak, and a lamp for full scale. */

import { byId, element, mark, write } from "./dom.js";

/** @import {Panel} from "./panel.js" */
/** @import {Meters} from "./types.js" */

const FLOOR_DB = -60;
const FALL_DB_PER_S = 40;
const HOLD_S = 1.6;
const HELD_FALL_DB_PER_S = 18;
const CLIP_DB = -0.1;
const CLIP_S = 2.5;
/** Screen readers are told this often at most. */
const SPOKEN_EVERY_S = 1;
const MARKS_DB = [-48, -36, -24, -12, -6, 0];

/** @param {Panel} panel */
export function showLevels(panel) {
  const root = byId("meters");
  const before = levelMeter("In", "Input level");
  const after = levelMeter("Out", "Output level");
  const marks = element("div", { class: "meter-marks", "aria-hidden": "true" }, ...MARKS_DB.map((level) => {
    const line = element("span", { text: String(level).replace("-", "−") });
    line.style.setProperty("--at", String(share(level)));
    return line;
  }));
  root.append(before.root, after.root, marks);
  panel.store.watch((shown) => shown.meters, (meters) => {
    before.show(meters?.input_peak_db ?? -120, meters?.input_rms_db ?? -120);
    after.show(meters?.output_peak_db ?? -120, meters?.output_rms_db ?? -120);
  });
  countUpdates(panel);
}

/** Share of the meter's length. @param {number} level */
function share(level) {
  return Math.min(Math.max(1 - level / FLOOR_DB, 0), 1);
}

/** @param {string} title @param {string} words */
function levelMeter(title, words) {
  const peakBar = element("div", { class: "meter-peak" });
  const rmsBar = element("div", { class: "meter-rms" });
  const heldLine = element("div", { class: "meter-held" });
  const lamp = element("span", { class: "clip", title: "Full scale reached" });
  const number = element("span", { class: "meter-number" });
  const track = element("div", {
    class: "meter-track", role: "meter", "aria-label": words, "aria-valuemin": FLOOR_DB, "aria-valuemax": 0,
    "aria-valuenow": FLOOR_DB,
  }, peakBar, rmsBar, heldLine);
  const root = element("div", { class: "meter" }, element("span", { class: "meter-title", text: title }), track,
    number, lamp);
  let peak = -120, held = -120, heldAt = 0, clippedAt = -Infinity, last = 0, spokenAt = -Infinity;
  return {
    root,
    /** @param {number} newPeak @param {number} rms */
    show(newPeak, rms) {
      const now = performance.now() / 1_000;
      const passed = Math.min(now - last, 1);
      last = now;
      peak = Math.max(newPeak, peak - FALL_DB_PER_S * passed);
      if (peak >= held) { held = peak; heldAt = now; }
      else if (now - heldAt > HOLD_S) held = Math.max(peak, held - HELD_FALL_DB_PER_S * passed);
      if (newPeak >= CLIP_DB) clippedAt = now;
      peakBar.style.setProperty("--at", share(peak).toFixed(4));
      rmsBar.style.setProperty("--at", share(rms).toFixed(4));
      heldLine.style.setProperty("--at", share(held).toFixed(4));
      mark(lamp, "data-on", now - clippedAt < CLIP_S);
      if (now - spokenAt < SPOKEN_EVERY_S / 4) return;
      spokenAt = now;
      write(number, held > FLOOR_DB - 30 ? held.toFixed(1).replace("-", "−") : "−∞");
      mark(track, "aria-valuenow", Math.round(Math.max(rms, FLOOR_DB)));
      mark(track, "aria-valuetext", rms > FLOOR_DB ? `${Math.round(rms)} dB` : "silence");
    },
  };
}

/** Counts how many meters a second reach the page. @param {Panel} panel */
function countUpdates(panel) {
  let count = 0;
  let since = performance.now();
  panel.store.watch((shown) => shown.meters, () => { count += 1; });
  setInterval(() => {
    document.documentElement.dataset.metersPerSecond = (count / (performance.now() - since) * 1_000).toFixed(1);
    count = 0;
    since = performance.now();
  }, 1_000);
}
