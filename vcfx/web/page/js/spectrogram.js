/** The spectrum of the last seconds: time to the right, frequency upwards, level as colour. */

import { element } from "./dom.js";

const COLUMNS = 340;
const TOP_DB = -18;
const BOTTOM_DB = -90;
const COLOURS = 256;

export class Spectrogram {
  /** @param {"dry" | "wet"} side @param {string} words */
  constructor(side, words) {
    this.side = side;
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", {
      class: "spectrogram", role: "img", "aria-label": `Spectrogram: ${words.toLowerCase()}`, width: COLUMNS, height: 64,
    }));
    this.root = element("div", { class: "scope" }, this.canvas, element("span", {
      class: `scope-title ${side}`, "aria-hidden": "true", text: words,
    }));
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.column = 0;
    /** @type {number[][]} */
    this.past = [];
    this.recolour();
  }

  /** Take the theme's colours, and draw what is remembered anew. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    const stops = [0, 1, 2, 3].map((stop) => rgb(style.getPropertyValue(`--heat-${this.side}-${stop}`)));
    this.palette = Array.from({ length: COLOURS }, (_, place) => between(stops, place / (COLOURS - 1)));
    const pen = this.canvas.getContext("2d", { willReadFrequently: false });
    if (!pen) return;
    const [red, green, blue] = stops[0];
    pen.fillStyle = `rgb(${red} ${green} ${blue})`;
    pen.fillRect(0, 0, COLUMNS, this.canvas.height);
    this.past.forEach((bands, place) => this.paint(pen, bands, this.still.matches ? place : COLUMNS - this.past.length + place));
  }

  /**
   * Add the newest spectrum at the right, or, where motion is to be reduced, at a place that wanders.
   * @param {number[]} bands
   */
  add(bands) {
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    if (this.canvas.height !== bands.length) {
      this.canvas.height = bands.length;
      this.recolour();
    }
    if (this.still.matches) {
      this.past[this.column] = bands;
      this.paint(pen, bands, this.column);
      this.column = (this.column + 1) % COLUMNS;
      return;
    }
    this.past.push(bands);
    if (this.past.length > COLUMNS) this.past.shift();
    pen.drawImage(this.canvas, -1, 0);
    this.paint(pen, bands, COLUMNS - 1);
  }

  /** @param {CanvasRenderingContext2D} pen @param {number[]} bands @param {number} column */
  paint(pen, bands, column) {
    if (!this.palette) return;
    const image = pen.createImageData(1, bands.length);
    bands.forEach((level, place) => {
      const heat = Math.min(Math.max((level - BOTTOM_DB) / (TOP_DB - BOTTOM_DB), 0), 1);
      const colour = this.palette?.[Math.round(heat * (COLOURS - 1))] ?? [0, 0, 0];
      image.data.set([colour[0], colour[1], colour[2], 255], (bands.length - 1 - place) * 4);
    });
    pen.putImageData(image, column, 0);
  }
}

/** `#rrggbb` -> three numbers. @param {string} colour */
function rgb(colour) {
  const number = Number.parseInt(colour.trim().slice(1), 16) || 0;
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** @param {number[][]} stops @param {number} share */
function between(stops, share) {
  const place = Math.min(Math.floor(share * (stops.length - 1)), stops.length - 2);
  const rest = share * (stops.length - 1) - place;
  return stops[place].map((part, each) => Math.round(part + (stops[place + 1][each] - part) * rest));
}
