/** The dialogs that ask for something: a preset's name, and the token of a server that wants one. */

import { byId, element } from "./dom.js";
import { note } from "./notices.js";

/** @import {Panel} from "./panel.js" */

/** The server looks for presets and devices once a second at most. */
const LOOKED_AGAIN_MS = 1_100;

/** @param {Panel} panel */
export function showSave(panel) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("save-dialog"));
  const field = /** @type {HTMLInputElement} */ (element("input", {
    type: "text", id: "save-name", required: true, maxlength: 80, autocomplete: "off", spellcheck: "false",
  }));
  const problem = element("p", { class: "bad", role: "alert" });
  const form = element("form", { method: "dialog" },
    element("h2", { id: "save-title", text: "Save preset" }),
    element("p", { class: "quiet", text: "Keeps what runs now, with every change, among your own presets." }),
    element("label", { for: "save-name", text: "Name" }), field, problem,
    element("div", { class: "dialog-keys" }, cancel(dialog), element("button", {
      type: "submit", class: "primary", text: "Save",
    })));
  dialog.append(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = field.value.trim();
    const outcome = await panel.connection.send({ type: "save_preset", name });
    problem.textContent = outcome.applied ? "" : outcome.reason ?? "";
    if (!outcome.applied) return;
    dialog.close();
    note(outcome.note || `Saved as ${name}.`);
    setTimeout(() => void panel.connection.fetchCatalogue(), LOOKED_AGAIN_MS);
  });
  byId("save").addEventListener("click", () => {
    problem.textContent = "";
    field.value = panel.store.get().state?.preset_name ?? "";
    dialog.showModal();
    field.select();
  });
}

/** @param {Panel} panel */
export function showToken(panel) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("token-dialog"));
  const field = /** @type {HTMLInputElement} */ (element("input", {
    type: "password", id: "token", required: true, autocomplete: "off", spellcheck: "false",
  }));
  const problem = element("p", { class: "bad", role: "alert" });
  const form = element("form", { method: "dialog" },
    element("h2", { id: "token-title", text: "Token" }),
    element("p", { class: "quiet", text: "The terminal that runs vcfx shows it beside the address." }),
    element("label", { for: "token", text: "Token" }), field, problem,
    element("div", { class: "dialog-keys" }, element("button", { type: "submit", class: "primary", text: "Open" })));
  dialog.append(form);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = await exchange(field.value.trim());
    if (problem.textContent) return;
    field.value = "";
    dialog.close();
    void panel.connection.open();
  });
  panel.store.watch((shown) => shown.connection, (connection) => {
    if (connection === "locked" && !dialog.open) dialog.showModal();
  });
}

/** Use the token that the address brought, and take it out of the address. */
export async function useTokenOfAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  await exchange(token);
}

/** Exchange a token for a cookie; returns what went wrong. @param {string} token */
async function exchange(token) {
  const answer = await fetch("/api/session", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
  }).catch(() => null);
  if (answer?.ok) return "";
  if (!answer) return "The server does not answer.";
  const body = await answer.json().catch(() => ({}));
  return String(body.error ?? "The token is wrong.");
}

/** @param {HTMLDialogElement} dialog */
function cancel(dialog) {
  return element("button", { type: "button", text: "Cancel", on: { click: () => dialog.close() } });
}
