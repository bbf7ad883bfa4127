"""What is known about one audio device."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A device that PortAudio can open, or a sink or source of the sound server behind one.

    Attributes
    ----------
    index
        PortAudio's number; it changes when devices come and go.
    name, host_api
        As PortAudio calls them. Devices of the sound server have the host API ``PulseAudio``.
    max_input_channels, max_output_channels
        0 where the device has no such direction.
    default_sample_rate_hz
        The rate that the device runs at unless told otherwise.
    low_input_latency_ms, low_output_latency_ms
        What PortAudio holds to be reachable, or None where it does not say or says nonsense.
    is_default_input, is_default_output
        Whether it is used where no device was named.
    identifier
        The sound server's own name for it, where there is one.
    environment
        Variables that must be set while its stream is opened; `routed` does that.
    is_monitor
        Whether it is the recording of what another device plays.
    is_virtual
        Whether it is a virtual cable: what one program plays into it, another records.
    """

    index: int
    name: str
    host_api: str
    max_input_channels: int
    max_output_channels: int
    default_sample_rate_hz: int
    low_input_latency_ms: float | None = None
    low_output_latency_ms: float | None = None
    is_default_input: bool = False
    is_default_output: bool = False
    identifier: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    is_monitor: bool = False
    is_virtual: bool = False

    def channels(self, direction: Direction) -> int:
        """Return how many channels it has in `direction`."""
        return self.max_input_channels if direction == "input" else self.max_output_channels

    def is_default(self, direction: Direction) -> bool:
        """Say whether it is the default in `direction`."""
        return self.is_default_input if direction == "input" else self.is_default_output

    def low_latency_ms(self, direction: Direction) -> float | None:
        """Return the latency that PortAudio holds to be reachable in `direction`."""
        return self.low_input_latency_ms if direction == "input" else self.low_output_latency_ms

    @property
    def title(self) -> str:
        """Host API and name, from which `find_device` finds it again; names of the sound server are unique."""
        return f"{self.host_api}:{self.identifier or self.name}"

    @property
    def is_behind_pulse(self) -> bool:
        """Whether ALSA's plugin for PulseAudio carries it: input and output then need streams of their own."""
        return self.host_api == "PulseAudio" or (
            self.host_api == "ALSA" and self.name in ("pulse", "default", "pipewire")
        )

    @contextlib.contextmanager
    def routed(self) -> Iterator[AudioDevice]:
        """Set the device's environment while its stream is opened, and put it back afterwards.

        The sound server's client library reads the variables when the connection is made (Pa_OpenStream), with C's
        getenv; Python's os.environ writes through to it. Not to be entered by two threads at once.
        """
        before = {key: os.environ.get(key) for key, _ in self.environment}
        os.environ.update(self.environment)
        try:
            yield self
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value
