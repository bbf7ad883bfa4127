/** Presets and voices as large buttons, with a search, tags and the places of the bank. */

import { byId, element, icon, mark, write } from "./dom.js";
import { learnKey } from "./midi.js";

/** @import {Panel} from "./panel.js" */
/** @import {Catalogue, Entry, Shown} from "./types.js" */

/** @typedef {"presets" | "voices"} Shelf */
/** @type {Record<Shelf, {one: string, title: string, message: (name: string) => import("./types.js").Message}>} */
const SHELVES = {
  presets: { one: "preset", title: "Presets", message: (preset) => ({ type: "switch_preset", preset }) },
  voices: { one: "voice", title: "Voices", message: (voice) => ({ type: "switch_voice", voice }) },
};

/** A narrow page begins with so many of them. */
const FEW_TILES = 8;

/** @param {Panel} panel */
export function showLibrary(panel) {
  const view = { shelf: /** @type {Shelf} */ ("presets"), search: "", tag: "", all: false };
  const parts = frame(panel, view, () => draw());
  byId("library").append(...parts.roots);
  /** @type {string} */
  let tags = "";

  const draw = () => {
    const shown = panel.store.get();
    const entries = shown.catalogue?.[view.shelf] ?? [];
    for (const [name, tab] of Object.entries(parts.tabs)) {
      mark(tab.root, "aria-selected", name === view.shelf);
      mark(tab.root, "tabindex", name === view.shelf ? 0 : -1);
      write(tab.count, String(shown.catalogue?.[/** @type {Shelf} */ (name)].length ?? ""));
    }
    const every = [...new Set(entries.flatMap((entry) => entry.tags))].sort();
    if (!every.includes(view.tag)) view.tag = "";
    if (every.join() !== tags) {
      tags = every.join();
      parts.tags.replaceChildren(...every.map((tag) => tagKey(tag, view, draw)));
    }
    for (const key of parts.tags.children) mark(key, "aria-pressed", key.textContent === view.tag);
    const fitting = entries.filter((entry) => fits(entry, view.search, view.tag));
    tiles(panel, view.shelf, parts.tiles, fitting, shown);
    mark(parts.tiles, "aria-labelledby", `tab-${view.shelf}`);
    parts.nothing.hidden = fitting.length > 0 || !shown.catalogue;
    parts.more.hidden = view.all || fitting.length <= FEW_TILES;
    parts.tiles.classList.toggle("few", !parts.more.hidden);
    write(parts.more, `All ${fitting.length} ${view.shelf}`);
    write(parts.nothing, `No ${SHELVES[view.shelf].one} fits. `);
  };
  panel.store.watch((shown) => shown.catalogue, draw);
  panel.store.watch((shown) => `${shown.state?.preset_name}\n${shown.state?.voice}`, draw);
}

/**
 * @param {Panel} panel
 * @param {{shelf: Shelf, search: string, tag: string, all: boolean}} view
 * @param {() => void} draw
 */
function frame(panel, view, draw) {
  const tabs = Object.fromEntries(Object.entries(SHELVES).map(([name, shelf]) => {
    const count = element("span", { class: "count" });
    const root = element("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tiles",
      on: { click: () => { view.shelf = /** @type {Shelf} */ (name); view.tag = ""; draw(); } },
    }, element("span", { text: shelf.title }), count);
    return [name, { root, count }];
  }));
  const tabList = element("div", { class: "tabs", role: "tablist", "aria-label": "Presets or voices" },
    ...Object.values(tabs).map((tab) => tab.root));
  tabList.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = view.shelf === "presets" ? "voices" : "presets";
    tabs[other].root.click();
    tabs[other].root.focus();
  });
  const search = /** @type {HTMLInputElement} */ (element("input", {
    type: "search", id: "search", placeholder: "Search", "aria-label": "Search presets and voices",
    autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/",
  }));
  search.addEventListener("input", () => { view.search = search.value; draw(); });
  search.addEventListener("keydown", (event) => searchKeys(event, search, draw, view));
  const tagList = element("div", { class: "tags", role: "group", "aria-label": "Tags" });
  const tileList = element("div", { class: "tiles", id: "tiles", role: "tabpanel", tabindex: -1 });
  const nothing = element("p", { class: "quiet nothing", hidden: true });
  const more = element("button", {
    type: "button", class: "more", hidden: true, on: { click: () => { view.all = true; draw(); } },
  });
  const searchLine = element("div", { class: "search" }, icon("search"), search, element("kbd", {
    "aria-hidden": "true", text: "/",
  }));
  return { roots: [tabList, searchLine, tagList, nothing, tileList, more], tabs, tags: tagList, tiles: tileList, nothing, more };
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLInputElement} search
 * @param {() => void} draw
 * @param {{search: string}} view
 */
function searchKeys(event, search, draw, view) {
  const first = /** @type {HTMLElement | null} */ (document.querySelector("#tiles .tile"));
  if (event.key === "Enter") first?.click();
  else if (event.key === "ArrowDown") first?.focus();
  else if (event.key === "Escape" && search.value) { search.value = ""; view.search = ""; draw(); }
  else if (event.key === "Escape") search.blur();
  else return;
  event.preventDefault();
}

/** @param {string} tag @param {{tag: string}} view @param {() => void} draw */
function tagKey(tag, view, draw) {
  return element("button", {
    type: "button", class: "tag", text: tag, on: { click: () => { view.tag = view.tag === tag ? "" : tag; draw(); } },
  });
}

/** @param {Entry} entry @param {string} search @param {string} tag */
function fits(entry, search, tag) {
  if (tag && !entry.tags.includes(tag)) return false;
  const text = [entry.name, entry.title, entry.description, ...entry.tags].join(" ").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/**
 * @param {Panel} panel
 * @param {Shelf} shelf
 * @param {HTMLElement} list
 * @param {Entry[]} entries
 * @param {Shown} shown
 */
function tiles(panel, shelf, list, entries, shown) {
  const bank = shown.catalogue?.bank ?? [];
  const wanted = entries.map((entry) => `${shelf}:${entry.name}`);
  const present = [...list.children].map((tile) => /** @type {HTMLElement} */ (tile).dataset.key);
  if (wanted.join("\n") !== present.join("\n") || list.dataset.catalogue !== catalogueMark(shown.catalogue)) {
    list.replaceChildren(...entries.map((entry) => tile(panel, shelf, entry, bank.indexOf(entry.name))));
    list.dataset.catalogue = catalogueMark(shown.catalogue);
  }
  const current = shelf === "presets" ? shown.state?.preset_name : shown.state?.voice;
  for (const place of list.children) {
    const { name } = /** @type {HTMLElement} */ (place).dataset;
    mark(/** @type {Element} */ (place.firstElementChild), "aria-pressed", name === current);
  }
}

/** Changes with what the tiles show, so that a new catalogue is drawn anew. @param {Catalogue | null} catalogue */
function catalogueMark(catalogue) {
  const entries = [...(catalogue?.presets ?? []), ...(catalogue?.voices ?? [])];
  return `${catalogue?.bank.join()} ${entries.map((entry) => entry.title + entry.problem).join()}`;
}

/** @param {Panel} panel @param {Shelf} shelf @param {Entry} entry @param {number} place */
function tile(panel, shelf, entry, place) {
  const { one, message } = SHELVES[shelf];
  const numbered = shelf === "presets" && place >= 0 && place < 10;
  const key = element("button", {
    type: "button", class: "tile", "aria-disabled": entry.problem ? "true" : false,
    title: entry.problem || entry.description,
    on: { click: () => void panel.ask(message(entry.name)) },
  },
  element("span", { class: "tile-title", text: entry.title || entry.name }),
  element("span", { class: entry.problem ? "tile-text bad" : "tile-text", text: entry.problem || entry.description }),
  numbered ? element("kbd", { text: String((place + 1) % 10), "aria-label": `bank place ${place + 1}` }) : null);
  return element("div", { class: "tile-place", dataset: { key: `${shelf}:${entry.name}`, name: entry.name } },
    key, learnKey(panel, `${one}:${entry.name}`, `${one} ${entry.title || entry.name}`));
}
