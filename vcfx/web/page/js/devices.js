/** Devices: what listens, what speaks, and one more to hear it on. */

import { byId, element, icon, mark, write } from "./dom.js";

/** @import {Panel} from "./panel.js" */
/** @import {Entry, LiveState, Shown} from "./types.js" */

/** @type {{field: "input" | "output" | "monitor", title: string, from: "inputs" | "outputs"}[]} */
const PLACES = [
  { field: "input", title: "Input", from: "inputs" },
  { field: "output", title: "Output", from: "outputs" },
  { field: "monitor", title: "Monitor", from: "outputs" },
];
const NO_MONITOR = "";

/** @param {Panel} panel */
export function showDevices(panel) {
  const again = element("button", {
    type: "button", class: "small icon-only", "aria-label": "Look for devices again",
  }, icon("again"));
  again.addEventListener("click", async () => {
    mark(again, "aria-busy", true);
    await panel.connection.fetchCatalogue();
    mark(again, "aria-busy", false);
  });
  const latency = element("p", { class: "quiet", id: "latency-parts" });
  const section = byId("devices");
  section.append(element("div", { class: "section-head" },
    element("h2", { id: "devices-title", text: "Devices" }), again));
  for (const { field, title, from } of PLACES) {
    const id = `device-${field}`;
    const select = /** @type {HTMLSelectElement} */ (element("select", { id }));
    select.addEventListener("change", () => void use(panel, field, select));
    section.append(element("div", { class: "row" }, element("label", { for: id, text: title }), select));
    const draw = () => fill(select, panel.store.get(), field, from);
    panel.store.watch((shown) => shown.catalogue, draw);
    panel.store.watch((shown) => shown.state?.[field], draw);
  }
  section.append(latency);
  panel.store.watch((shown) => shown.state?.latency_ms, (parts) => write(latency, parts ? latencyWords(parts) : ""));
}

/** @param {Panel} panel @param {"input" | "output" | "monitor"} field @param {HTMLSelectElement} select */
async function use(panel, field, select) {
  select.disabled = true;
  const outcome = await panel.ask({ type: "use_devices", [field]: select.value });
  select.disabled = false;
  if (!outcome.applied) select.value = select.dataset.current ?? "";
}

/**
 * @param {HTMLSelectElement} select
 * @param {Shown} shown
 * @param {"input" | "output" | "monitor"} field
 * @param {"inputs" | "outputs"} from
 */
function fill(select, shown, field, from) {
  const current = shown.state?.[field] ?? "";
  const entries = shown.catalogue?.[from] ?? [];
  const chosen = entries.find((entry) => entry.name === current || entry.title === current);
  const options = entries.map((entry) => ({ value: entry.name, text: words(entry), off: Boolean(entry.problem) }));
  if (field === "monitor") options.unshift({ value: NO_MONITOR, text: "None", off: false });
  if (current && !chosen) options.unshift({ value: current, text: current, off: false });
  const drawn = JSON.stringify(options);
  if (select.dataset.drawn !== drawn) {
    select.dataset.drawn = drawn;
    select.replaceChildren(...options.map(({ value, text, off }) => element("option", { value, text, disabled: off })));
  }
  select.value = select.dataset.current = chosen?.name ?? current;
}

/** @param {Entry} entry */
function words(entry) {
  return `${entry.title || entry.name}${entry.problem ? ` (${entry.problem})` : ""}`;
}

/** @param {Record<string, number | null>} parts */
function latencyWords(parts) {
  const known = Object.entries(parts).filter(([name, value]) => value !== null && !name.startsWith("total"));
  return known.map(([name, value]) => `${name.replace(/_ms$/, "").replaceAll("_", " ")} ${value?.toFixed(1)} ms`)
    .join(" · ");
}
