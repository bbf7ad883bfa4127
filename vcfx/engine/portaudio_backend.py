"""Streams through PortAudio: JACK, ALSA, PulseAudio, CoreAudio, WASAPI, ASIO."""

from __future__ import annotations

import threading
from typing import Any

from vcfx.devices import jack_watch, portaudio
from vcfx.devices.catalogue import find_device, list_devices, plausible_latency_ms
from vcfx.devices.device import AudioDevice, Direction
from vcfx.errors import DeviceError

from .streams import Stream, StreamRequest, StreamSide

_FLOAT32_PLANAR = 0x80000001  # paFloat32 | paNonInterleaved
_CLIP_OFF, _DITHER_OFF = 1, 2
_CLOSE_TIMEOUT_S = 3.0
#: Below this, PortAudio's ALSA plugin for the sound server stutters (its own low latency is 8.7 ms).
_PULSE_LATENCY_MS = 30.0
_FALLBACK_LATENCY_MS = 20.0


class PortAudioStream:
    """One open PortAudio stream."""

    def __init__(self, lib: Any, ffi: Any, handle: Any) -> None:
        self._lib, self._ffi, self._handle = lib, ffi, handle
        self._number = int(ffi.cast("intptr_t", handle))
        portaudio.stream_opened(self._number)
        info = lib.Pa_GetStreamInfo(handle)
        self.input_latency_ms = plausible_latency_ms(info.inputLatency)
        self.output_latency_ms = plausible_latency_ms(info.outputLatency)

    @property
    def active(self) -> bool:
        """Whether the device still calls."""
        return bool(self._lib.Pa_IsStreamActive(self._handle) == 1)

    def start(self) -> None:
        """Begin to call."""
        _check(self._lib, self._ffi, self._lib.Pa_StartStream(self._handle), "the stream does not start")

    def close(self) -> bool:
        """Stop and close; False if the driver hung. ALSA's pulse plugin is known to, so a thread of its own tries."""
        if jack_watch.server_is_gone():
            return False  # PortAudio waits for a dead server for ever
        done = threading.Event()

        def stop_and_close() -> None:
            if self._lib.Pa_IsStreamStopped(self._handle) == 0:
                self._lib.Pa_AbortStream(self._handle)
            self._lib.Pa_CloseStream(self._handle)
            done.set()

        threading.Thread(target=stop_and_close, name="vcfx-close", daemon=True).start()
        if not done.wait(_CLOSE_TIMEOUT_S):
            return False
        portaudio.stream_closed(self._number)
        return True


class PortAudioBackend:
    """The real audio system."""

    def __init__(self) -> None:
        module = portaudio.sounddevice()
        self._lib, self._ffi = module._lib, module._ffi

    def find(self, query: str | int | None, direction: Direction) -> AudioDevice:
        """Return the device meant by a number or a part of its name; the default for None."""
        return find_device(query, direction)

    def devices(self) -> list[AudioDevice]:
        """Return every device."""
        return list_devices()

    def supports(self, side: StreamSide, direction: Direction, sample_rate: int) -> bool:
        """Whether a device takes a rate with so many channels."""
        parameters = self._parameters(side, direction)
        null = self._ffi.NULL
        pair = (parameters, null) if direction == "input" else (null, parameters)
        with side.device.routed(), portaudio.quiet_stderr():
            return bool(self._lib.Pa_IsFormatSupported(*pair, float(sample_rate)) == 0)

    def least_block(self, device: AudioDevice) -> int:
        """Return JACK's period: PortAudio cuts it into several blocks at once if asked for shorter ones."""
        return (jack_watch.period_frames() or 1) if "JACK" in device.host_api else 1

    def open(self, request: StreamRequest) -> Stream:
        """Open a stream; DeviceError with one sentence if the device refuses."""
        ffi, lib = self._ffi, self._lib
        side = request.output or request.input
        if side is None:
            raise DeviceError("a stream needs an input or an output device")
        source = self._parameters(request.input, "input") if request.input else ffi.NULL
        target = self._parameters(request.output, "output") if request.output else ffi.NULL
        handle = ffi.new("PaStream**")
        with side.device.routed(), portaudio.quiet_stderr():
            error = lib.Pa_OpenStream(
                handle,
                source,
                target,
                float(request.sample_rate),
                request.block,
                _CLIP_OFF | _DITHER_OFF,
                ffi.cast("PaStreamCallback*", request.callback),
                ffi.cast("void*", request.user_data),
            )
        what = f"'{side.device.name}' cannot be opened at {request.sample_rate} Hz with {side.channels} channels"
        _check(lib, ffi, error, what)
        return PortAudioStream(lib, ffi, handle[0])

    def rescan(self) -> None:
        """Read the device list anew; only while no stream is open."""
        portaudio.rescan()

    def _parameters(self, side: StreamSide, direction: Direction) -> Any:
        latency_ms = side.latency_ms
        if latency_ms is None:
            latency_ms = _suggested_latency_ms(side.device, direction)
        return self._ffi.new(
            "PaStreamParameters*",
            {
                "device": side.device.index,
                "channelCount": side.channels,
                "sampleFormat": _FLOAT32_PLANAR,
                "suggestedLatency": latency_ms / 1e3,
                "hostApiSpecificStreamInfo": self._ffi.NULL,
            },
        )


def _suggested_latency_ms(device: AudioDevice, direction: Direction) -> float:
    if "JACK" in device.host_api:
        return 0.0  # the server alone decides
    stated_ms = device.low_latency_ms(direction) or _FALLBACK_LATENCY_MS
    return max(stated_ms, _PULSE_LATENCY_MS) if device.is_behind_pulse else stated_ms


def _check(lib: Any, ffi: Any, error: int, what: str) -> None:
    if error == 0:
        return
    reason = ffi.string(lib.Pa_GetErrorText(error)).decode(errors="replace")
    host = lib.Pa_GetLastHostErrorInfo()
    if host != ffi.NULL and host.errorCode != 0:
        text = ffi.string(host.errorText).decode(errors="replace")
        reason = f"{reason} ({text})" if text else reason
    raise DeviceError(f"{what}: {reason}")
