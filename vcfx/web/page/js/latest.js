/** Sends the newest value of each control at most about thirty times a second: the last one always arrives. */

/** @import {Message, Outcome} from "./types.js" */

const EVERY_MS = 33;

export class Latest {
  /** @param {(message: Message) => Promise<Outcome>} send */
  constructor(send) {
    this.send = send;
    /** @type {Map<string, {message: Message | null, busy: boolean}>} */
    this.slots = new Map();
  }

  /**
   * Queue the newest message of a key; an older one that still waits is dropped.
   * @param {string} key
   * @param {Message} message
   */
  put(key, message) {
    const slot = this.slots.get(key) ?? { message: null, busy: false };
    this.slots.set(key, slot);
    slot.message = message;
    if (!slot.busy) void this.run(key, slot);
  }

  /** Whether a value of this key is still on its way. @param {string} key */
  pending(key) {
    return this.slots.has(key);
  }

  /**
   * @param {string} key
   * @param {{message: Message | null, busy: boolean}} slot
   */
  async run(key, slot) {
    slot.busy = true;
    while (slot.message) {
      const message = slot.message;
      slot.message = null;
      await Promise.all([this.send(message), new Promise((resolve) => setTimeout(resolve, EVERY_MS))]);
    }
    this.slots.delete(key);
  }
}
