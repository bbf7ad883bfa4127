/**
 * What the server sends, as `/api/openapi.json` describes it.
 *
 * @typedef {{name: string, value: number | string, default: number | string, minimum: number | null,
 *   maximum: number | null, choices: string[], integer: boolean, text: boolean, live: boolean, doc: string}} Parameter
 * @typedef {{id: string, kind: string, bypassed: boolean, latency_ms: number, parameters: Parameter[]}} ChainNode
 * @typedef {{sides: string, paths: string[], seconds: number, problem: string}} Recording
 * @typedef {{ports: {name: string, connected: boolean}[], map: string, learning: string, last_event: string,
 *   bindings: {trigger: string, target: string}[], problem: string}} Midi
 * @typedef {{revision: number, preset: string, preset_name: string, voice: string, changed: boolean,
 *   chain: ChainNode[], bypassed: boolean, muted: boolean, talk_mode: "open" | "push", talking: boolean,
 *   recording: Recording | null, input: string, output: string, monitor: string, input_rate_hz: number,
 *   output_rate_hz: number, block_frames: number, latency_ms: Record<string, number | null>, problem: string,
 *   midi?: Midi | null}} LiveState
 * @typedef {{seconds: number, input_peak_db: number, input_rms_db: number, output_peak_db: number,
 *   output_rms_db: number, blocks: number, late_blocks: number, concealed_blocks: number, callback_p99_us: number,
 *   load: number, input_spectrum_db: number[], output_spectrum_db: number[]}} Meters
 * @typedef {{name: string, title: string, description: string, tags: string[], problem: string}} Entry
 * @typedef {{presets: Entry[], voices: Entry[], inputs: Entry[], outputs: Entry[], bank: string[]}} Catalogue
 * @typedef {{applied: boolean, block?: number | null, waited_ms?: number, note?: string, reason?: string}} Outcome
 * @typedef {{type: string} & Record<string, any>} Message
 *
 * @typedef {"connecting" | "live" | "lost" | "locked"} ConnectionName
 * @typedef {{connection: ConnectionName, state: LiveState | null, meters: Meters | null, catalogue: Catalogue | null,
 *   learning: boolean}} Shown
 */

export {};
