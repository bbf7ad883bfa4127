/** What a parameter's name says about it: words, unit, and how its range lies along a slider. */

/** @import {Parameter} from "./types.js" */

/** Ending of a name -> unit shown, longest endings first. */
const UNITS = [
  ["_db_per_s", "dB/s"], ["_semitones", "st"], ["_samples", "smp"], ["_percent", "%"], ["_cents", "ct"],
  ["_frames", "fr"], ["_ratio", "×"], ["_hz", "Hz"], ["_db", "dB"], ["_ms", "ms"], ["_us", "µs"], ["_s", "s"],
];
const WORDS = { q: "Q", eq: "EQ", mix: "Mix", f0: "F0", rms: "RMS", lufs: "LUFS" };
/** From this ratio between the ends on, equal ratios take equal lengths. */
const LOG_FROM = 20;
/** Below this level, loudness matters little: it gets the lowest eighth of the slider. */
const QUIET_DB = -60;
const QUIET_SHARE = 0.125;

/** @param {string} name */
function ending(name) {
  return UNITS.find(([end]) => name.endsWith(end));
}

/**
 * `formant_semitones` -> `Formant`.
 * @param {string} name
 */
export function label(name) {
  const stem = name.slice(0, name.length - (ending(name)?.[0].length ?? 0)) || name;
  const words = stem.replace(/([a-z])(\d)/g, "$1_$2").split(/[_\s]+/).map((word) => WORDS[/** @type {keyof typeof WORDS} */ (word)] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether a share of one is shown in per cent. @param {Parameter} parameter */
function isShare(parameter) {
  return parameter.name.endsWith("_ratio") && parameter.minimum === 0 && (parameter.maximum ?? 2) <= 1;
}

/** The unit at a value; kHz and s from a thousand on. @param {Parameter} parameter @param {number} value */
export function unitAt(parameter, value) {
  if (isShare(parameter)) return "%";
  if (parameter.name === "ratio") return ": 1";
  const unit = ending(parameter.name)?.[1] ?? "";
  if (Math.abs(value) >= 1_000) return { Hz: "kHz", ms: "s" }[unit] ?? unit;
  return unit;
}

/** The number at a value, in `unitAt`. @param {Parameter} parameter @param {number} value */
export function numberAt(parameter, value) {
  if (isShare(parameter)) return tidy(value * 100, 1);
  const thousands = ["kHz", "s"].includes(unitAt(parameter, value)) && Math.abs(value) >= 1_000;
  if (thousands) return tidy(value / 1_000, 2);
  const size = Math.abs(value);
  return tidy(value, parameter.integer ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** @param {number} value @param {number} digits */
function tidy(value, digits) {
  const text = value.toFixed(digits);
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return (short === "-0" ? "0" : short).replace("-", "−");
}

/**
 * The value that a person typed, within the range; null if it is not a number.
 * @param {Parameter} parameter
 * @param {string} text
 */
export function typed(parameter, text) {
  const found = /^\s*([+\-−]?)(\d+(?:[.,]\d*)?|[.,]\d+)\s*(k|%|s(?!t|m))?/i.exec(text);
  if (!found) return null;
  let value = Number(found[2].replace(",", ".")) * (found[1] && found[1] !== "+" ? -1 : 1);
  const suffix = found[3]?.toLowerCase();
  if (suffix === "k" || (suffix === "s" && parameter.name.endsWith("_ms"))) value *= 1_000;
  if (isShare(parameter)) value /= 100;
  return fitted(parameter, value);
}

/** @param {Parameter} parameter @param {number} value */
export function fitted(parameter, value) {
  const whole = parameter.integer ? Math.round(value) : value;
  return Math.min(Math.max(whole, parameter.minimum ?? -Infinity), parameter.maximum ?? Infinity);
}

/** @typedef {{at: (value: number) => number, value: (position: number) => number}} Scale positions are 0 to 1 */

/**
 * How a range lies along a slider; null where an end is missing.
 * @param {Parameter} parameter
 * @returns {Scale | null}
 */
export function scaleOf(parameter) {
  const { minimum: low, maximum: high, name } = parameter;
  if (low === null || high === null || !(low < high)) return null;
  if (low > 0 && high / low >= LOG_FROM) {
    const span = Math.log(high / low);
    return { at: (value) => Math.log(value / low) / span, value: (position) => low * Math.exp(position * span) };
  }
  if (low === 0 && high >= 1_000) {
    return { at: (value) => Math.cbrt(value / high), value: (position) => high * position ** 3 };
  }
  if (name.endsWith("_db") && low <= -90 && high > QUIET_DB) return quietBelow(low, high);
  return { at: (value) => (value - low) / (high - low), value: (position) => low + position * (high - low) };
}

/** @param {number} low @param {number} high @returns {Scale} */
function quietBelow(low, high) {
  const share = QUIET_SHARE;
  return {
    at: (value) => value < QUIET_DB
      ? ((value - low) / (QUIET_DB - low)) * share
      : share + ((value - QUIET_DB) / (high - QUIET_DB)) * (1 - share),
    value: (position) => position < share
      ? low + (position / share) * (QUIET_DB - low)
      : QUIET_DB + ((position - share) / (1 - share)) * (high - QUIET_DB),
  };
}

/**
 * A value worth sending: as many digits as a person would care about.
 * @param {Parameter} parameter
 * @param {number} value
 */
export function rounded(parameter, value) {
  const span = (parameter.maximum ?? 1) - (parameter.minimum ?? 0);
  const size = Math.max(Math.abs(value), span / 1_000, 1e-6);
  const step = 10 ** (Math.floor(Math.log10(size)) - 2);
  return fitted(parameter, Number((Math.round(value / step) * step).toPrecision(6)));
}
