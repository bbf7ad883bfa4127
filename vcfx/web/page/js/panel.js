/** What every part of the page works with: the store, the line, and asking with the answer shown. */

import { Connection } from "./connection.js";
import { Latest } from "./latest.js";
import { note, refuse } from "./notices.js";
import { Store } from "./store.js";

/** @import {Message, Outcome} from "./types.js" */

export class Panel {
  constructor() {
    this.store = new Store();
    this.connection = new Connection(this.store);
    this.latest = new Latest((message) => this.ask(message));
  }

  /**
   * Send a message and show what a person should know of its outcome.
   * @param {Message} message
   * @returns {Promise<Outcome>}
   */
  async ask(message) {
    const outcome = await this.connection.send(message);
    if (!outcome.applied) refuse(outcome.reason ?? "That did not work.");
    else if (outcome.note) note(outcome.note);
    return outcome;
  }
}
