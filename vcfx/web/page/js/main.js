/** Puts the page together and opens the line. */

import { showChain } from "./chain.js";
import { showDevices } from "./devices.js";
import { showSave, showToken, useTokenOfAddress } from "./dialogs.js";
import { showHeader } from "./header.js";
import { showLevels } from "./level_meters.js";
import { showLibrary } from "./library.js";
import { showMidi } from "./midi.js";
import { Panel } from "./panel.js";
import { showRecording } from "./recording.js";
import { showScopes } from "./scopes.js";
import { listenForShortcuts, showHelp } from "./shortcuts.js";
import { showStage } from "./stage.js";

const panel = new Panel();
for (const show of [
  showHeader, showStage, showLevels, showLibrary, showChain, showScopes, showRecording, showDevices, showMidi,
  showSave, showToken, listenForShortcuts,
]) show(panel);
showHelp();
await useTokenOfAddress();
void panel.connection.open();
