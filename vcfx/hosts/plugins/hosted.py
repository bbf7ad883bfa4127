"""A loaded plugin, as many copies of it as the channels need, in the process that runs it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.parameters import Value

from .description import OFF_ON

Block = npt.NDArray[np.float32]  # not imported with the nodes, whose compiler a plugin's process does not need
PROBE_RATE_HZ: Final = 48_000
PROBE_FRAMES: Final = 480


def plugin_names(path: str) -> list[str]:
    """Return the names of the plugins in a bundle."""
    names: list[str] = _format(path).get_plugin_names_for_file(path)
    return names


def load_instance(path: str, name: str) -> Any:
    """Load one plugin of a bundle."""
    return _format(path)(path, plugin_name=name)


def _format(path: str) -> Any:
    import pedalboard

    return pedalboard.AudioUnitPlugin if path.lower().endswith(".component") else pedalboard.VST3Plugin


def taken_channels(plugin: Any, sample_rate: int, frames: int) -> tuple[int, ...]:
    """Try a block of silence with one channel and with two; return what the plugin takes."""
    return tuple(count for count in (1, 2) if _takes(plugin, count, sample_rate, frames))


def _takes(plugin: Any, channels: int, sample_rate: int, frames: int) -> bool:
    try:
        plugin.process(np.zeros((channels, frames), np.float32), sample_rate, buffer_size=frames, reset=False)
    except ValueError:  # its way to say that it does not
        return False
    return True


def layout(channels: int, taken: tuple[int, ...]) -> list[list[int]]:
    """Return which rows of a block each copy of the plugin hears.

    A stereo plugin takes rows in pairs and hears a lone one on both sides; a mono plugin has a copy for each row.
    """
    if 2 not in taken or (channels == 1 and 1 in taken):
        return [[row] for row in range(channels)]
    pairs = [[row, min(row + 1, channels - 1)] for row in range(0, channels, 2)]
    return [pair[:1] if pair[0] == pair[1] and 1 in taken else pair for pair in pairs]


def values_of(plugin: Any) -> dict[str, Value]:
    """Return the present value of every parameter, by the plugin's names."""
    from pedalboard._pedalboard import strip_common_float_suffixes

    plain: dict[str, Value] = {}
    for name, found in plugin.parameters.items():
        if found.type is bool:
            plain[name] = OFF_ON[found.raw_value >= 0.5]
        else:
            text = found.string_value
            plain[name] = float(strip_common_float_suffixes(text)) if found.type is float else str(text)
    return plain


class HostedPlugin:
    """A plugin at one rate and channel count. Not for more than one thread at a time.

    Parameters
    ----------
    path, name
        The bundle, and which plugin in it.
    taken
        How many channels it takes: (1,), (2,) or (1, 2).
    sample_rate
        Hz.
    channels, max_frames
        Of the blocks that `process` will see.
    state
        The plugin's own state to begin with; empty: its default.
    values
        Parameters by the plugin's names, set on top of that.
    """

    def __init__(
        self,
        path: str,
        name: str,
        taken: tuple[int, ...],
        sample_rate: int,
        channels: int,
        max_frames: int,
        state: bytes = b"",
        values: Mapping[str, Value] | None = None,
    ) -> None:
        self._rate, self._max_frames = sample_rate, max_frames
        self._rows = layout(channels, taken)
        self._copies = [load_instance(path, name) for _ in self._rows]
        self._blocks = [np.zeros((len(rows), max_frames), np.float32) for rows in self._rows]
        self.restore(state)
        self.set(values or {})
        self.reset()

    @property
    def latency_samples(self) -> int:
        """As the plugin reports it."""
        return max(0, int(self._copies[0].reported_latency_samples))

    @property
    def state(self) -> bytes:
        """The plugin's own state."""
        return bytes(self._copies[0].raw_state)

    def restore(self, state: bytes) -> None:
        """Put the plugin into a state that it told before; an empty one changes nothing."""
        for copy in self._copies if state else ():
            copy.raw_state = state

    def set(self, values: Mapping[str, Value]) -> None:
        """Set parameters by the plugin's names; what this version of it does not have is left out."""
        for copy in self._copies:
            for name, value in values.items():
                found = copy._get_parameter_by_python_name(name)
                with contextlib.suppress(ValueError):  # a value that this version of it does not take
                    if found is not None:
                        found.raw_value = found.get_raw_value_for(value == OFF_ON[1] if found.type is bool else value)

    def process(self, block_in: Block, block_out: Block) -> None:
        """Fill `block_out` from `block_in`, 0 to `max_frames` frames; they may be the same."""
        frames = block_in.shape[1]
        if frames == 0:
            return
        for rows, block in zip(self._rows, self._blocks, strict=True):
            for index, row in enumerate(rows):
                block[index, :frames] = block_in[row]
        made = self._run(frames)
        for rows, sound in zip(self._rows, made, strict=True):
            start = frames - sound.shape[1]
            block_out[rows, :start] = 0
            if len(rows) == 2 and rows[0] == rows[1]:
                block_out[rows[0], start:] = 0.5 * (sound[0] + sound[1])
            else:
                block_out[rows, start:] = sound

    def reset(self) -> None:
        """Forget the sound heard; the parameters stay.

        A block of silence follows, because plugins take parameters over with the block that comes behind them.
        """
        for copy, block in zip(self._copies, self._blocks, strict=True):
            copy.reset()
            block[:] = 0
        self._run(self._max_frames)

    def _run(self, frames: int) -> list[Block]:
        return [
            copy.process(np.ascontiguousarray(block[:, :frames]), self._rate, buffer_size=self._max_frames, reset=False)
            for copy, block in zip(self._copies, self._blocks, strict=True)
        ]
