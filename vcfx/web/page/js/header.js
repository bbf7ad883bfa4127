/** The bar on top: the line, latency, late blocks, load, and what is wrong. */

import { byId, element, icon, mark, write } from "./dom.js";

/** @import {Panel} from "./panel.js" */
/** @import {LiveState} from "./types.js" */

const CONNECTIONS = {
  connecting: "Connecting", live: "Live", lost: "Connection lost, trying again", locked: "Token needed",
};

/** @param {Panel} panel */
export function showHeader(panel) {
  const { store } = panel;
  store.watch((shown) => shown.connection, (connection) => {
    const pill = byId("connection");
    mark(pill, "data-connection", connection);
    mark(document.body, "data-connection", connection);
    write(pill, CONNECTIONS[connection]);
  });
  store.watch((shown) => shown.state, (state) => {
    write(byId("latency"), state ? latencyWords(state) : "–");
    write(byId("format"), state ? `${(state.input_rate_hz / 1_000).toLocaleString("en")} kHz · ${state.block_frames}` : "–");
    const problem = byId("problem");
    problem.hidden = !state?.problem;
    write(problem, state?.problem ?? "");
  });
  store.watch((shown) => shown.meters?.late_blocks, (late) => {
    write(byId("late"), late === undefined ? "–" : late.toLocaleString("en"));
    mark(byId("late"), "data-bad", Boolean(late));
  });
  store.watch((shown) => shown.meters ? Math.round(shown.meters.load * 100) : null, (load) => {
    write(byId("load"), load === null ? "–" : `${load} %`);
    mark(byId("load"), "data-bad", load !== null && load >= 80);
  });
  const theme = byId("theme");
  theme.append(icon("sun"), icon("moon"));
  theme.addEventListener("click", () => document.dispatchEvent(new CustomEvent("themeswitch")));
}

/** The total if the engine states one, else the sum of what it knows. @param {LiveState} state */
function latencyWords(state) {
  const { latency_ms: parts } = state;
  const total = Object.entries(parts).find(([name]) => name.startsWith("total"))?.[1];
  const sum = total ?? Object.values(parts).reduce((/** @type {number} */ all, part) => all + (part ?? 0), 0);
  return `${sum.toFixed(sum < 9.95 ? 1 : 0)} ms`;
}
