/** Spectrum before and after, and what it was in the last seconds: drawn on canvas as the meters come. */

import { byId, element, icon, mark, write } from "./dom.js";
import { Spectrogram } from "./spectrogram.js";
import { Spectrum } from "./spectrum.js";

/** @import {Panel} from "./panel.js" */
/** @import {Meters} from "./types.js" */

const MOST_WAITING = 60;

/** @param {Panel} panel */
export function showScopes(panel) {
  const spectrum = new Spectrum();
  const before = new Spectrogram("dry", "Before");
  const after = new Spectrogram("wet", "After");
  const words = element("p", { class: "hidden", id: "spectrum-words" });
  byId("scopes").append(spectrum.root, before.root, after.root, words);
  const freeze = byId("freeze");
  let frozen = false;
  let spokenAt = 0;
  freeze.addEventListener("click", () => {
    frozen = !frozen;
    mark(freeze, "aria-pressed", frozen);
    write(freeze, frozen ? "Frozen" : "Freeze");
    panel.connection.wantSpectra(!frozen);
  });
  /** What came since the last picture; a browser that is behind draws it at once. @type {Meters[]} */
  const waiting = [];
  const draw = () => {
    for (const meters of waiting) {
      spectrum.add(meters.input_spectrum_db, meters.output_spectrum_db);
      before.add(meters.input_spectrum_db);
      after.add(meters.output_spectrum_db);
    }
    waiting.length = 0;
    spectrum.paint();
  };
  panel.store.watch((shown) => shown.meters, (meters) => {
    if (frozen || !meters || !meters.input_spectrum_db.length || document.hidden) return;
    waiting.push(meters);
    if (waiting.length === 1) requestAnimationFrame(draw);
    else if (waiting.length > MOST_WAITING) waiting.shift();
    if (performance.now() - spokenAt < 2_000) return;
    spokenAt = performance.now();
    write(words, `Loudest before near ${loudest(meters.input_spectrum_db)}, after near ${loudest(meters.output_spectrum_db)}`);
  });
  document.addEventListener("themechange", () => { for (const each of [spectrum, before, after]) each.recolour(); });
}

/** Bands lie evenly in the logarithm from 50 Hz to 16 kHz. @param {number[]} bands */
function loudest(bands) {
  const place = bands.indexOf(Math.max(...bands));
  return `${Math.round(50 * (16_000 / 50) ** ((place + 0.5) / bands.length))} Hz`;
}
