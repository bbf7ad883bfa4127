/** Everything the page shows, in one place; parts of the page watch the slices that they draw. */

/** @import {Shown} from "./types.js" */

export class Store {
  constructor() {
    /** @type {Shown} */
    this.shown = { connection: "connecting", state: null, meters: null, catalogue: null, learning: false };
    /** @type {Set<() => void>} */
    this.watchers = new Set();
  }

  get() {
    return this.shown;
  }

  /** @param {Partial<Shown>} changes */
  set(changes) {
    this.shown = { ...this.shown, ...changes };
    for (const tell of this.watchers) tell();
  }

  /**
   * Calls `changed` now and whenever what `select` picks is another value.
   * @template T
   * @param {(shown: Shown) => T} select
   * @param {(picked: T) => void} changed
   */
  watch(select, changed) {
    let last = select(this.shown);
    this.watchers.add(() => {
      const picked = select(this.shown);
      if (Object.is(picked, last)) return;
      last = picked;
      changed(picked);
    });
    changed(last);
  }
}
