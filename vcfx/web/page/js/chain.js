/** The chain: one card for each node, kept as long as the node is the same one, its controls moved in place. */

import { byId, element, icon, mark, write } from "./dom.js";
import { learnKey } from "./midi.js";
import { parameterControl } from "./parameter.js";

/** @import {Panel} from "./panel.js" */
/** @import {ChainNode, LiveState} from "./types.js" */
/** @typedef {{root: HTMLElement, update: (node: ChainNode) => void}} Card */

/** On a narrow page, nodes with more controls than this begin folded. */
const FEW_CONTROLS = 3;
const NARROW = "(max-width: 599px)";
/** Kinds that a person has folded or unfolded; new cards of the kind follow. @type {Map<string, boolean>} */
const folded = new Map();

/** @param {Panel} panel */
export function showChain(panel) {
  const list = byId("nodes");
  /** @type {Map<string, Card>} */
  let cards = new Map();
  panel.store.watch((shown) => shown.state?.chain, (chain = []) => {
    /** @type {Map<string, Card>} */
    const kept = new Map();
    for (const node of chain) {
      const same = signature(node);
      const card = cards.get(same) ?? cardOf(panel, node);
      card.update(node);
      kept.set(same, card);
    }
    if ([...kept.keys()].join() !== [...cards.keys()].join()) {
      list.replaceChildren(...[...kept.values()].map((card) => card.root));
    }
    cards = kept;
  });
  panel.store.watch((shown) => shown.state, (state) => write(byId("chain-summary"), state ? summary(state) : ""));
}

/** Two nodes with one signature have the same controls. @param {ChainNode} node */
function signature(node) {
  return `${node.id} ${node.kind} ${node.parameters.map((each) => each.name + each.live + each.choices).join()}`;
}

/** @param {LiveState} state */
function summary(state) {
  const count = state.chain.length;
  if (!count) return "Nothing between input and output";
  const off = state.chain.filter((node) => node.bypassed).length;
  return `${count} ${count === 1 ? "node" : "nodes"}${off ? `, ${off} off` : ""}`;
}

/** @param {Panel} panel @param {ChainNode} first @returns {Card} */
function cardOf(panel, first) {
  const live = first.parameters.filter((each) => each.live);
  const still = first.parameters.filter((each) => !each.live);
  const controls = new Map([...live, ...still].map((each) => [each.name, parameterControl(panel, first, each)]));
  const latency = element("span", { class: "node-latency" });
  const power = element("button", {
    type: "button", class: "power", "aria-label": `Use ${first.id}`,
    on: { click: () => void panel.ask({ type: "bypass_node", node: first.id, on: null }) },
  }, icon("power"));
  const learn = learnKey(panel, `bypass:${first.id}`, `bypass of ${first.id}`);
  const body = element("div", { class: "parameters", id: `parameters-${first.id}` },
    ...[...controls.values()].map((control) => control.root));
  const fold = foldKey(first, body, live.length);
  const root = element("li", { class: "node", dataset: { node: first.id } },
    element("div", { class: "node-head" },
      power,
      element("h3", { text: title(first.id) }),
      first.kind === first.id ? null : element("span", { class: "kind", text: first.kind }),
      learn, latency, controls.size ? fold : null),
    controls.size ? body : null);
  return {
    root,
    update(node) {
      mark(root, "data-bypassed", node.bypassed);
      mark(power, "aria-pressed", !node.bypassed);
      power.title = node.bypassed ? `Take ${first.id} in again` : `Leave ${first.id} out`;
      write(latency, node.latency_ms >= 0.05 ? `${node.latency_ms.toFixed(node.latency_ms < 10 ? 1 : 0)} ms` : "");
      for (const parameter of node.parameters) controls.get(parameter.name)?.update(parameter);
    },
  };
}

/** @param {ChainNode} node @param {HTMLElement} body @param {number} controls */
function foldKey(node, body, controls) {
  const key = element("button", {
    type: "button", class: "fold", "aria-controls": body.id, "aria-label": `Controls of ${node.id}`,
    on: { click: () => { folded.set(node.kind, !body.hidden); draw(!body.hidden); } },
  }, icon("fold"));
  /** @param {boolean} away */
  const draw = (away) => {
    body.hidden = away;
    mark(key, "aria-expanded", !away);
  };
  draw(folded.get(node.kind) ?? (matchMedia(NARROW).matches && controls > FEW_CONTROLS));
  return key;
}

/** `low_cut` -> `Low cut`. @param {string} id */
function title(id) {
  const words = id.replaceAll("_", " ");
  return words === "eq" ? "EQ" : words.charAt(0).toUpperCase() + words.slice(1);
}
