/** The line to the running voice: one WebSocket that comes back by itself, and the few requests beside it. */

import { refuse } from "./notices.js";

/** @import {Message, Outcome, Catalogue, LiveState, Meters} from "./types.js" */
/** @import {Store} from "./store.js" */

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4_000;
/** Meters come many times a second; silence this long means that the line is dead even if nobody closed it. */
const SILENCE_MS = 4_000;
const METERS_RATE_HZ = 30;
const HIDDEN_RATE_HZ = 1;

export class Connection {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Map<number, (outcome: Outcome) => void>} */
    this.waiting = new Map();
    this.lastId = 0;
    this.waitMs = FIRST_WAIT_MS;
    this.lastHeard = 0;
    this.spectra = true;
    /** Called each time the line is up. @type {() => void} */
    this.onopen = () => {};
    document.addEventListener("visibilitychange", () => this.askForMeters());
    window.addEventListener("online", () => this.hurry());
    setInterval(() => this.watchSilence(), 1_000);
  }

  /** Connect, and go on trying until it works; stops only where a token is asked for. */
  async open() {
    const answer = await fetch("/api/state", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) {
      this.store.set({ connection: "locked" });
      return;
    }
    if (!answer?.ok) {
      this.later();
      return;
    }
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    this.socket = socket;
    this.lastHeard = performance.now();
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.heard(JSON.parse(event.data));
    socket.onclose = () => this.closed(socket);
  }

  /**
   * Send a message; resolves to what became of it and never rejects.
   * @param {Message} message
   * @returns {Promise<Outcome>}
   */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ applied: false, reason: "There is no connection to the voice; trying again." });
    }
    const id = ++this.lastId;
    this.socket.send(JSON.stringify({ kind: "message", id, message }));
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  /**
   * Ask for spectra, or do without them.
   * @param {boolean} wanted
   */
  wantSpectra(wanted) {
    this.spectra = wanted;
    this.askForMeters();
  }

  /** Fetch what can be chosen: devices are looked for, which may take a second. */
  async fetchCatalogue() {
    const answer = await fetch("/api/catalogue", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) this.store.set({ catalogue: /** @type {Catalogue} */ (await answer.json()) });
  }

  /** Try at once instead of waiting out the pause. */
  hurry() {
    if (this.store.get().connection !== "lost") return;
    this.waitMs = FIRST_WAIT_MS;
    clearTimeout(this.timer);
    void this.open();
  }

  opened() {
    this.waitMs = FIRST_WAIT_MS;
    this.store.set({ connection: "live" });
    this.askForMeters();
    void this.fetchCatalogue();
    this.onopen();
  }

  askForMeters() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const rate_hz = document.hidden ? HIDDEN_RATE_HZ : METERS_RATE_HZ;
    this.socket.send(JSON.stringify({ kind: "meters", rate_hz, spectra: this.spectra && !document.hidden }));
  }

  /** @param {{kind: string, state?: LiveState, meters?: Meters, id?: number, outcome?: Outcome, error?: string}} news */
  heard(news) {
    this.lastHeard = performance.now();
    if (news.kind === "error" && news.error) refuse(news.error);
    else if (news.kind === "meters" && news.meters) this.store.set({ meters: news.meters });
    else if (news.kind === "state" && news.state) this.store.set({ state: news.state });
    else if (news.kind === "outcome" && news.outcome && news.id !== undefined) {
      this.waiting.get(news.id)?.(news.outcome);
      this.waiting.delete(news.id);
    }
  }

  /** @param {WebSocket} socket */
  closed(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    for (const resolve of this.waiting.values()) {
      resolve({ applied: false, reason: "The connection was lost before the answer came." });
    }
    this.waiting.clear();
    this.later();
  }

  later() {
    this.store.set({ connection: "lost", meters: null });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.open(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
  }

  watchSilence() {
    if (this.socket && performance.now() - this.lastHeard > SILENCE_MS) {
      const dead = this.socket;
      this.closed(dead);
      dead.close();
    }
  }
}
