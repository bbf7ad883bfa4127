/** The spectrum of this moment: before as a soft area, after as a line on top. */

import { element } from "./dom.js";

const LOW_HZ = 50;
const HIGH_HZ = 16_000;
const TOP_DB = -6;
const BOTTOM_DB = -96;
const GRID_HZ = [100, 1_000, 10_000];
const GRID_DB = [-24, -48, -72];
const HEIGHT = 150;
const ROOM_FOR_WORDS = 48;
/** Curves rise at once and fall by this share of the way with each update. */
const FALL = 0.35;

export class Spectrum {
  constructor() {
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", {
      class: "spectrum", role: "img", "aria-label": "Spectrum before and after", "aria-describedby": "spectrum-words",
    }));
    /** Lines and words, which stand still and are not painted again. */
    this.scale = /** @type {HTMLCanvasElement} */ (element("canvas", { class: "spectrum scale", "aria-hidden": "true" }));
    this.root = element("div", { class: "scope" }, this.canvas, this.scale);
    /** @type {number[]} */
    this.before = [];
    /** @type {number[]} */
    this.after = [];
    this.recolour();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  /** Take the theme's colours. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.colours = {
      grid: colour("--line"), text: colour("--muted"), dry: colour("--dry"), wet: colour("--wet"),
      dryFill: colour("--dry-fill"), wetFill: colour("--wet-fill"), font: colour("--font"),
    };
    this.paint();
    this.paintScale();
  }

  /** @param {number[]} before @param {number[]} after */
  add(before, after) {
    this.before = fallen(this.before, before);
    this.after = fallen(this.after, after);
  }

  resize() {
    const scale = Math.min(devicePixelRatio, 2);
    for (const canvas of [this.canvas, this.scale]) {
      canvas.width = Math.round(this.canvas.clientWidth * scale);
      canvas.height = Math.round(HEIGHT * scale);
    }
    this.paint();
    this.paintScale();
  }

  paint() {
    const pen = this.cleared(this.canvas);
    if (!pen || !this.colours) return;
    const width = this.canvas.clientWidth;
    this.curve(pen, width, this.before, this.colours.dry, this.colours.dryFill, 1.25);
    this.curve(pen, width, this.after, this.colours.wet, this.colours.wetFill, 1.75);
  }

  paintScale() {
    const pen = this.cleared(this.scale);
    if (!pen || !this.colours) return;
    this.grid(pen, this.canvas.clientWidth, this.colours);
    this.words(pen, this.canvas.clientWidth, this.colours);
  }

  /** A pen that draws in CSS pixels on an empty canvas. @param {HTMLCanvasElement} canvas */
  cleared(canvas) {
    const pen = canvas.getContext("2d");
    const width = this.canvas.clientWidth;
    if (!pen || !width) return null;
    const scale = canvas.width / width;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, HEIGHT);
    return pen;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} width @param {Record<string, string>} colours */
  grid(pen, width, colours) {
    pen.strokeStyle = colours.grid;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const frequency of GRID_HZ) {
      const x = Math.round(across(frequency) * width) + 0.5;
      pen.moveTo(x, 0);
      pen.lineTo(x, HEIGHT);
    }
    for (const level of GRID_DB) {
      const y = Math.round(down(level)) + 0.5;
      pen.moveTo(0, y);
      pen.lineTo(width, y);
    }
    pen.stroke();
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} width @param {Record<string, string>} colours */
  words(pen, width, colours) {
    pen.fillStyle = colours.text;
    pen.font = `11px ${colours.font}`;
    for (const frequency of GRID_HZ) {
      const x = across(frequency) * width;
      const room = width - x > ROOM_FOR_WORDS;
      pen.textAlign = room ? "left" : "right";
      pen.fillText(frequency >= 1_000 ? `${frequency / 1_000} kHz` : `${frequency} Hz`, x + (room ? 4 : -4), HEIGHT - 5);
    }
    pen.textAlign = "left";
    for (const level of GRID_DB) pen.fillText(`−${-level}`, 4, down(level) - 4);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number[]} bands
   * @param {string} line
   * @param {string} fill
   * @param {number} thickness
   */
  curve(pen, width, bands, line, fill, thickness) {
    if (!bands.length) return;
    const points = bands.map((level, place) => [((place + 0.5) / bands.length) * width, down(level)]);
    const path = new Path2D();
    path.moveTo(0, points[0][1]);
    points.forEach(([x, y], place) => {
      const [nextX, nextY] = points[place + 1] ?? [width, y];
      path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    });
    pen.strokeStyle = line;
    pen.lineWidth = thickness;
    pen.stroke(path);
    path.lineTo(width, HEIGHT);
    path.lineTo(0, HEIGHT);
    pen.fillStyle = fill;
    pen.fill(path);
  }
}

/** @param {number} frequency */
function across(frequency) {
  return Math.log(frequency / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ);
}

/** @param {number} level */
function down(level) {
  return Math.min(Math.max((TOP_DB - level) / (TOP_DB - BOTTOM_DB), 0), 1) * HEIGHT;
}

/** @param {number[]} held @param {number[]} fresh */
function fallen(held, fresh) {
  return fresh.map((level, place) => {
    const before = held[place] ?? level;
    return level > before ? level : before + (level - before) * FALL;
  });
}
