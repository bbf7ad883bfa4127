"""The time grid that encoder, decoder and vocoder share: every delay of the voice model follows from these numbers."""

from __future__ import annotations

from typing import Final

#: Everything inside the model is mono at this rate.
SAMPLE_RATE: Final = 24_000
#: One step of the networks: 10 ms.
HOP_SAMPLES: Final = 240
#: The vocoder's filters and the F0 change this often: 5 ms.
SUBFRAME_SAMPLES: Final = 120
SUBFRAMES: Final = HOP_SAMPLES // SUBFRAME_SAMPLES

#: Mel frame i is a Hann window that ends with hop i.
MEL_WINDOW_SAMPLES: Final = 512
N_MELS: Final = 80
MEL_TOP_HZ: Final = 8_000.0
MEL_FLOOR: Final = 1e-7
#: Log-mel values are moved and scaled by these before a network: speech at -24 dBFS then lies around 0 +- 1.
MEL_CENTRE, MEL_SPREAD = -7.0, 4.0
#: Where the F0 of speech is looked for.
F0_LOWEST_HZ, F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS = 55.0, 600.0, 1

#: Output hop i is the voice of input samples ``240 i - 600`` to ``240 (i + 1) - 600``: 25 ms. What the networks see
#: beyond the sample they speak (their look-ahead) is this less one hop; a shorter one cost intelligibility.
LATENCY_SAMPLES: Final = 600
#: Between the middle of the newest mel window and the last sample of the hop that is spoken.
LOOKAHEAD_SAMPLES: Final = LATENCY_SAMPLES - MEL_WINDOW_SAMPLES // 2

#: Hops by which the loudness path is late, so that it meets the voice that is spoken.
ENERGY_DELAY_HOPS: Final = 2

CONTENT_SIZE: Final = 64
EMBEDDING_SIZE: Final = 256
#: Embedding, then mean and spread of the log-mel spectrum of the voice's speech.
VOICE_SIZE: Final = EMBEDDING_SIZE + 2 * N_MELS

HARMONIC_BANDS: Final = 80
NOISE_BANDS: Final = 48
N_FFT: Final = 1_024
