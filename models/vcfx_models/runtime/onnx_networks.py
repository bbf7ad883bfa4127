"""The networks on ONNX Runtime: one thread of the processor, one stream a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..geometry import CONTENT_SIZE, N_MELS, SUBFRAMES, VOICE_SIZE
from ..network_files import NetworkFile, read_networks, stored_as, weights_folder
from ..networks_protocol import Memory, Singles
from .one_thread import open_session


class OnnxNetworks:
    """Encoder, decoder and colour, see `Networks`. Has no state: memory goes in and comes out.

    Parameters
    ----------
    folder
        Where the files are; None: the weights that come with the program.
    storage
        Which files, one of `network_files.STORAGES`; None: the first that are there.
    """

    def __init__(self, folder: Path | None = None, storage: str | None = None) -> None:
        folder = weights_folder() if folder is None else folder
        self.storage = stored_as(folder, storage)
        files = read_networks(folder, self.storage)
        #: What the files say of themselves.
        self.metadata = files["encoder"].metadata
        self._encoder, self._decoder, self._colour = (_session(files[part]) for part in files)
        self._neutral_voice = files["colour"].neutral_voice
        self._memory_names = {
            session: [put.name for put in session.get_inputs() if put.name.startswith("memory_")]
            for session in (self._encoder, self._decoder)
        }

    @property
    def neutral_voice(self) -> Singles:
        """The mean voice of the training, shape (416,)."""
        return self._neutral_voice

    def empty_encoder_memory(self) -> Memory:
        """Return the encoder's memory before the first hop."""
        return _empty_memory(self._encoder)

    def empty_decoder_memory(self) -> Memory:
        """Return the decoder's memory before the first hop."""
        return _empty_memory(self._decoder)

    def encode(self, log_mel: Singles, memory: Memory) -> tuple[Singles, Memory]:
        """Turn (hops, 80) into content (hops, 64) and the next memory. Thread: worker."""
        _check_shape("log_mel", log_mel, (len(log_mel), N_MELS))
        content, *after = self._encoder.run(None, self._fed(self._encoder, memory, log_mel=log_mel))
        return content[0], after

    def decode(
        self, content: Singles, prosody: Singles, films: Singles, memory: Memory
    ) -> tuple[Singles, Singles, Memory]:
        """Turn content (hops, 64) and prosody (hops, 4, 2) into envelopes and the next memory. Thread: worker."""
        _check_shape("content", content, (len(content), CONTENT_SIZE))
        _check_shape("prosody", prosody, (len(content), 4, SUBFRAMES))
        feeds = self._fed(self._decoder, memory, content=content, prosody=prosody, films=films)
        harmonic_log, noise_log, *after = self._decoder.run(None, feeds)
        return harmonic_log[0], noise_log[0], after

    def colour(self, voice: Singles) -> Singles:
        """Turn a voice vector (416,) into films (blocks, 2 * channels). Thread: control."""
        _check_shape("voice", voice, (VOICE_SIZE,))
        films: Singles = self._colour.run(None, {"voice": voice[None]})[0][0]
        return films

    def _fed(self, session: Any, memory: Memory, **inputs: Singles) -> dict[str, Singles]:
        feeds = {name: values[None] for name, values in inputs.items()}
        feeds.update(zip(self._memory_names[session], memory, strict=True))
        return feeds


def _session(file: NetworkFile) -> Any:
    try:
        return open_session(file.data)
    except Exception as error:  # its exceptions have no common base but this one
        reason = str(error).splitlines()[0]
        raise ModelError(f"the {file.part} of the voice model cannot be loaded: {reason}") from None


def _empty_memory(session: Any) -> Memory:
    puts = (put for put in session.get_inputs() if put.name.startswith("memory_"))
    return [np.zeros((1, *put.shape[1:]), np.float32) for put in puts]


def _check_shape(name: str, array: Singles, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32:
        raise ModelError(f"{name} has the shape {array.shape} of {array.dtype}; allowed: {shape} of float32")
