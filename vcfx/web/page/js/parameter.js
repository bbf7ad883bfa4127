/** The control of one parameter: slider and field for a number, choice, switch, or plain words for what stands still. */

import { element, mark, write } from "./dom.js";
import { learnKey } from "./midi.js";
import { fitted, label, numberAt, rounded, scaleOf, typed, unitAt } from "./scale.js";

/** @import {Panel} from "./panel.js" */
/** @import {ChainNode, Parameter} from "./types.js" */
/** @typedef {{root: HTMLElement, update: (parameter: Parameter) => void}} Control */

/** Positions of a slider; a key moves by a hundredth of it, with Shift by a thousandth. */
const STEPS = 1_000;
const KEY_STEP = 10;
const PAGE_STEP = 100;
/** So long after a hand has left it, a control does not follow the state: the answer is still under way. */
const SETTLE_MS = 250;
/** More choices than this do not fit side by side. */
const MOST_SEGMENTS = 3;

let made = 0;

/**
 * @param {Panel} panel
 * @param {ChainNode} node
 * @param {Parameter} parameter
 * @returns {Control}
 */
export function parameterControl(panel, node, parameter) {
  const name = label(parameter.name);
  const id = `parameter-${++made}`;
  const root = element("div", { class: "parameter", title: parameter.doc, dataset: { parameter: parameter.name } });
  /** @param {number | string} value */
  const send = (value) => panel.latest.put(`${node.id}.${parameter.name}`, {
    type: "set_parameter", node: node.id, parameter: parameter.name, value,
  });
  const learn = parameter.live
    ? learnKey(panel, `parameter:${node.id}.${parameter.name}`, `${name} of ${node.id}`)
    : null;
  const parts = { root, id, name, learn, send, owner: node.id };
  if (!parameter.live) return fact(parts, parameter);
  if (parameter.choices.length) return choice(parts, parameter);
  if (parameter.text) return line(parts, parameter);
  if (parameter.integer && parameter.minimum === 0 && parameter.maximum === 1) return toggle(parts, parameter);
  return number(parts, parameter);
}

/** @typedef {{root: HTMLElement, id: string, name: string, owner: string, learn: HTMLElement | null,
 *   send: (value: number | string) => void}} Parts */

/** @param {Parts} parts @param {Parameter} first @returns {Control} */
function number(parts, first) {
  const { root, id, name, owner } = parts;
  const scale = scaleOf(first);
  const field = /** @type {HTMLInputElement} */ (element("input", {
    type: "text", inputmode: "decimal", class: "value", id, autocomplete: "off", spellcheck: "false",
  }));
  const unit = element("span", { class: "unit" });
  const head = element("div", { class: "parameter-head" },
    element("label", { for: id, text: name }), parts.learn, element("span", { class: "reading" }, field, unit));
  root.append(head);
  const slider = scale ? sliderOf(first, `${name}, ${owner}`) : null;
  if (slider) root.append(slider);
  let parameter = first;
  let value = Number(first.value);
  let handsOffAt = 0;
  let held = false;

  const draw = () => {
    if (document.activeElement !== field || !field.dataset.edited) field.value = numberAt(parameter, value);
    write(unit, unitAt(parameter, value));
    mark(root, "data-changed", value !== parameter.default);
    if (slider && scale) drawSlider(slider, scale, parameter, value);
  };
  /** @param {number} wanted */
  const move = (wanted) => {
    value = fitted(parameter, wanted);
    handsOffAt = performance.now();
    draw();
    parts.send(value);
  };
  if (slider && scale) listen(slider, scale, () => parameter, move, (down) => {
    held = down;
    handsOffAt = performance.now();
  });
  listenField(field, () => parameter, () => value, move, draw);
  draw();
  return {
    root,
    update(now) {
      parameter = now;
      if (held || performance.now() - handsOffAt < SETTLE_MS) {
        setTimeout(() => { if (!held && parameter === now) { value = Number(now.value); draw(); } }, SETTLE_MS);
        return;
      }
      value = Number(now.value);
      draw();
    },
  };
}

/** @param {Parameter} parameter @param {string} words */
function sliderOf(parameter, words) {
  const steps = parameter.integer ? Math.min(STEPS, (parameter.maximum ?? 1) - (parameter.minimum ?? 0)) : STEPS;
  return /** @type {HTMLInputElement} */ (element("input", {
    type: "range", class: "slider", min: 0, max: steps, step: "any", "aria-label": words,
    "aria-description": "Double click or Delete for the default",
  }));
}

/**
 * @param {HTMLInputElement} slider
 * @param {import("./scale.js").Scale} scale
 * @param {Parameter} parameter
 * @param {number} value
 */
function drawSlider(slider, scale, parameter, value) {
  const position = scale.at(value);
  const low = parameter.minimum ?? 0;
  const from = low < 0 && low > -90 && (parameter.maximum ?? 0) > 0 ? scale.at(0) : 0;
  const at = String(position * Number(slider.max));
  if (slider.value !== at) slider.value = at;
  slider.style.setProperty("--from", String(Math.min(from, position)));
  slider.style.setProperty("--to", String(Math.max(from, position)));
  slider.style.setProperty("--default", String(scale.at(Number(parameter.default))));
  const unit = unitAt(parameter, value);
  mark(slider, "aria-valuetext", `${numberAt(parameter, value)} ${unit}`.trim());
}

/**
 * @param {HTMLInputElement} slider
 * @param {import("./scale.js").Scale} scale
 * @param {() => Parameter} now
 * @param {(value: number) => void} move
 * @param {(down: boolean) => void} hold
 */
function listen(slider, scale, now, move, hold) {
  const max = Number(slider.max);
  /** @param {number} position */
  const to = (position) => move(rounded(now(), scale.value(Math.min(Math.max(position, 0), 1))));
  const reset = () => move(Number(now().default));
  slider.addEventListener("input", () => to(Number(slider.value) / max));
  slider.addEventListener("pointerdown", () => hold(true));
  for (const end of ["pointerup", "pointercancel", "blur"]) slider.addEventListener(end, () => hold(false));
  slider.addEventListener("dblclick", reset);
  slider.addEventListener("keydown", (event) => {
    const fine = now().integer ? 1 / max : (event.shiftKey ? 1 : KEY_STEP) / STEPS;
    const page = Math.max(PAGE_STEP / STEPS, fine);
    const by = { ArrowRight: fine, ArrowUp: fine, ArrowLeft: -fine, ArrowDown: -fine, PageUp: page, PageDown: -page };
    if (event.key in by) to(Number(slider.value) / max + by[/** @type {keyof typeof by} */ (event.key)]);
    else if (event.key === "Home") to(0);
    else if (event.key === "End") to(1);
    else if (event.key === "Delete" || event.key === "Backspace") reset();
    else return;
    event.preventDefault();
  });
}

/**
 * @param {HTMLInputElement} field
 * @param {() => Parameter} now
 * @param {() => number} value
 * @param {(value: number) => void} move
 * @param {() => void} draw
 */
function listenField(field, now, value, move, draw) {
  const keep = () => {
    const wanted = field.dataset.edited ? typed(now(), field.value) : null;
    delete field.dataset.edited;
    if (wanted !== null && wanted !== value()) move(wanted);
    else draw();
  };
  field.addEventListener("input", () => { field.dataset.edited = "yes"; });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", keep);
  field.addEventListener("dblclick", () => move(Number(now().default)));
  field.addEventListener("keydown", (event) => {
    const scale = scaleOf(now());
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Enter") keep();
    else if (event.key === "Escape") { delete field.dataset.edited; draw(); }
    else if (up && scale) {
      delete field.dataset.edited;
      const position = scale.at(value()) + up * KEY_STEP / STEPS;
      move(now().integer ? value() + up : rounded(now(), scale.value(Math.min(Math.max(position, 0), 1))));
    } else return;
    event.preventDefault();
    if (event.key !== "Escape") field.select();
  });
}

/** @param {Parts} parts @param {Parameter} parameter @returns {Control} */
function choice(parts, parameter) {
  if (parameter.choices.length <= MOST_SEGMENTS) return segments(parts, parameter);
  const select = /** @type {HTMLSelectElement} */ (element("select", { id: parts.id },
    ...parameter.choices.map((word) => element("option", { value: word, text: label(word) }))));
  select.addEventListener("change", () => parts.send(select.value));
  parts.root.append(element("div", { class: "parameter-head" },
    element("label", { for: parts.id, text: parts.name }), parts.learn, select));
  return withUpdate(parts.root, (now) => { select.value = String(now.value); }, parameter);
}

/** @param {Parts} parts @param {Parameter} parameter @returns {Control} */
function segments(parts, parameter) {
  const keys = parameter.choices.map((word) => element("button", {
    type: "button", text: label(word), on: { click: () => parts.send(word) },
  }));
  parts.root.append(element("div", { class: "parameter-head" },
    element("span", { class: "name", id: parts.id, text: parts.name }), parts.learn,
    element("div", { class: "segments", role: "group", "aria-labelledby": parts.id }, ...keys)));
  return withUpdate(parts.root, (now) => keys.forEach((key, place) => {
    mark(key, "aria-pressed", parameter.choices[place] === now.value);
  }), parameter);
}

/** @param {Parts} parts @param {Parameter} parameter @returns {Control} */
function toggle(parts, parameter) {
  let on = false;
  const key = element("button", {
    type: "button", class: "switch", role: "switch", id: parts.id, "aria-label": `${parts.name}, ${parts.owner}`,
    on: { click: () => parts.send(on ? 0 : 1) },
  });
  parts.root.append(element("div", { class: "parameter-head" },
    element("label", { for: parts.id, text: parts.name }), parts.learn, key));
  return withUpdate(parts.root, (now) => {
    on = Boolean(now.value);
    mark(key, "aria-checked", on);
  }, parameter);
}

/** @param {Parts} parts @param {Parameter} parameter @returns {Control} */
function line(parts, parameter) {
  const field = /** @type {HTMLInputElement} */ (element("input", { type: "text", id: parts.id, class: "line" }));
  field.addEventListener("change", () => parts.send(field.value));
  parts.root.append(element("div", { class: "parameter-head" },
    element("label", { for: parts.id, text: parts.name }), field));
  return withUpdate(parts.root, (now) => {
    if (document.activeElement !== field) field.value = String(now.value);
  }, parameter);
}

/** @param {Parts} parts @param {Parameter} parameter @returns {Control} */
function fact(parts, parameter) {
  const value = element("span", { class: "fact" });
  parts.root.classList.add("still");
  parts.root.title = `${parameter.doc ? `${parameter.doc}; ` : ""}set by the preset`;
  parts.root.append(element("div", { class: "parameter-head" },
    element("span", { class: "name", text: parts.name }), value));
  return withUpdate(parts.root, (now) => {
    const held = now.value;
    write(value, typeof held === "number" ? `${numberAt(now, held)} ${unitAt(now, held)}`.trim() : held || "–");
  }, parameter);
}

/** @param {HTMLElement} root @param {(now: Parameter) => void} draw @param {Parameter} first @returns {Control} */
function withUpdate(root, draw, first) {
  /** @param {Parameter} now */
  const update = (now) => {
    draw(now);
    mark(root, "data-changed", now.live && now.value !== now.default);
  };
  update(first);
  return { root, update };
}
