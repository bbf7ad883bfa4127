"""The grid that GE2E as Resemblyzer ships it hears on."""

from __future__ import annotations

from typing import Final

SAMPLE_RATE: Final = 16_000
#: Window of 25 ms, every 10 ms, frame i round sample 160 i.
FFT_SAMPLES: Final = 400
HOP_SAMPLES: Final = 160
BANDS: Final = 40
LAYERS: Final = 3
HIDDEN_SIZE: Final = 256
EMBEDDING_SIZE: Final = 256
#: A partial is 1.6 s: the network was trained on that much, and starts anew with each.
PARTIAL_FRAMES: Final = 160
