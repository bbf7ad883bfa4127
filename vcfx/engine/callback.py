"""The PortAudio callbacks: C functions without the GIL, whose user data is the address of the engine's cells."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numba import carray, types

from vcfx_dsp.core.bridge_input import bridge_push
from vcfx_dsp.core.drift import bridge_pull
from vcfx_dsp.core.kernel import NativeFunction, compiled
from vcfx_dsp.core.native import as_pointer, clock_ns, flush_denormals, load_acquire, restore_float_mode
from vcfx_dsp.core.ring import ring_write

from . import cells as c
from .levels import count_duration, measure
from .messages import apply_messages
from .swap import keep_history, render_plans

_LONG = types.uint32 if sys.platform == "win32" else types.uint64
#: int callback(const void *input, void *output, unsigned long frames, time info, unsigned long flags, void *user data)
STREAM_SIGNATURE = types.intc(types.intp, types.intp, _LONG, types.intp, _LONG, types.intp)
#: The monitor callback's user data.
MONITOR_BRIDGE, MONITOR_CHANNELS, MONITOR_DEVICE_CHANNELS, MONITOR_SCRATCH, MONITOR_MAX_FRAMES, MONITOR_SIZE = range(6)
_FLAG_CELLS = (c.INPUT_UNDERFLOWS, c.INPUT_OVERFLOWS, c.OUTPUT_UNDERFLOWS, c.OUTPUT_OVERFLOWS)


class StreamCallback(NativeFunction):
    """A function that PortAudio calls for each block; audio is non-interleaved (one pointer per channel)."""

    signature = STREAM_SIGNATURE


@compiled
def _gather(pointers: int, offset: int, device_channels: int, block: Any, frames: int) -> int:
    """Copy device channels from `offset` on into `block`; returns how many samples were not finite (made 0)."""
    channels, bad = block.shape[0], 0
    if pointers == 0 or device_channels == 0:
        block[:, :] = np.float32(0.0)
        return 0
    rows = carray(as_pointer(pointers), (device_channels,), np.int64)
    for channel in range(channels):
        row = carray(as_pointer(rows[min(channel, device_channels - 1)]), (offset + frames,), np.float32)
        for frame in range(frames):
            sample = row[offset + frame]
            if not math.isfinite(sample):
                sample, bad = np.float32(0.0), bad + 1
            block[channel, frame] = sample
    return bad


@compiled
def _scatter(block: Any, pointers: int, offset: int, device_channels: int, frames: int) -> int:
    """Copy `block` to device channels; a mono block goes to all. Returns how many samples were not finite (made 0)."""
    channels, bad = block.shape[0], 0
    rows = carray(as_pointer(pointers), (device_channels,), np.int64)
    for channel in range(device_channels):
        row = carray(as_pointer(rows[channel]), (offset + frames,), np.float32)
        for frame in range(frames):
            sample = block[channel % channels, frame]
            if not math.isfinite(sample):
                sample, bad = np.float32(0.0), bad + 1
            row[offset + frame] = sample
    return bad


@compiled
def _switch(cells: Any, gauges: Any, source: Any, out: Any, frames: int) -> None:
    """Apply mute, talk and bypass with ramps. Bypass lets the dry voice through: only a person's own key does that."""
    voice_step = 1.0 / (gauges[c.VOICE_RAMP_S] * cells[c.SAMPLE_RATE])
    bypass_step = 1.0 / (c.GAIN_RAMP_S * cells[c.SAMPLE_RATE])
    voice_target, bypass_target = gauges[c.UNMUTED] * gauges[c.TALKING], gauges[c.BYPASSED]
    voice, bypass = gauges[c.VOICE_GAIN], gauges[c.BYPASS_GAIN]
    if voice == 1.0 and voice_target == 1.0 and bypass == 0.0 and bypass_target == 0.0:
        return
    for frame in range(frames):
        voice += min(max(voice_target - voice, -voice_step), voice_step)
        bypass += min(max(bypass_target - bypass, -bypass_step), bypass_step)
        for channel in range(out.shape[0]):
            mixed = (1.0 - bypass) * out[channel, frame] + bypass * source[channel, frame]
            out[channel, frame] = voice * mixed
    gauges[c.VOICE_GAIN], gauges[c.BYPASS_GAIN] = voice, bypass


@compiled
def _tap(address: int, block: int, source: int, out: int, frames: int) -> None:
    """Write a block to a tap's rings: both begin with the same one."""
    tap = carray(as_pointer(address), (c.TAP_SIZE,), np.int64)
    if tap[c.TAP_DRY] != 0:
        ring_write(tap[c.TAP_DRY], source, frames)
    if tap[c.TAP_WET] != 0:
        ring_write(tap[c.TAP_WET], out, frames)
    if tap[c.TAP_FIRST_BLOCK] < 0:
        tap[c.TAP_FIRST_BLOCK] = block


@compiled
def _taps(engine: int, block: int, source: int, out: int, frames: int) -> None:
    record, analysis = load_acquire(engine + 8 * c.RECORD_TAP), load_acquire(engine + 8 * c.ANALYSIS_TAP)
    monitor = load_acquire(engine + 8 * c.MONITOR_BRIDGE)
    if record != 0:
        _tap(record, block, source, out, frames)
    if analysis != 0:
        _tap(analysis, block, source, out, frames)
    if monitor != 0:
        bridge_push(monitor, out, frames)


@compiled
def _render(engine: int, cells: Any, gauges: Any, source: Any, out: Any, frames: int) -> None:
    """One block from `source` to `out`, both (channels, frames): messages, plans, switches, meters, taps."""
    if cells[c.MESSAGES] != 0:
        apply_messages(cells[c.MESSAGES], cells[c.BLOCKS])
    measure(gauges, c.INPUT_PEAK, source, frames, cells[c.SAMPLE_RATE])
    keep_history(engine, cells, source, frames)
    render_plans(engine, cells, source, out, frames)
    _switch(cells, gauges, source, out, frames)
    measure(gauges, c.OUTPUT_PEAK, out, frames, cells[c.SAMPLE_RATE])
    _taps(engine, cells[c.BLOCKS], cells[c.SCRATCH_IN], cells[c.SCRATCH_OUT], frames)
    cells[c.FRAMES] += frames


@compiled
def _count_flags(cells: Any, flags: int) -> None:
    """PortAudio's flags: bits 0 to 3 are input under-, input over-, output under-, output overflow."""
    for bit, cell in enumerate(_FLAG_CELLS):
        if flags & (1 << bit):
            cells[cell] += 1


@compiled
def _finish(cells: Any, start_ns: int, frames: int) -> None:
    duration_ns = clock_ns(cells[c.CLOCK]) - start_ns
    count_duration(cells[c.HISTOGRAM], duration_ns)
    cells[c.LONGEST_NS] = max(cells[c.LONGEST_NS], duration_ns)
    cells[c.LAST_START_NS] = start_ns
    if duration_ns * cells[c.SAMPLE_RATE] > frames * 1_000_000_000:
        cells[c.LATE_BLOCKS] += 1
    cells[c.BLOCKS] += 1


@compiled
def _duplex_block(engine: int, input_pointers: int, output_pointers: int, frames: int, flags: int) -> None:
    cells = carray(as_pointer(engine), (c.CELL_COUNT,), np.int64)
    gauges = carray(as_pointer(cells[c.GAUGES]), (c.GAUGE_COUNT,), np.float64)
    start_ns = clock_ns(cells[c.CLOCK])
    mode = flush_denormals()
    _count_flags(cells, flags)
    channels, offset = cells[c.CHANNELS], 0
    while offset < frames:
        part = min(frames - offset, cells[c.MAX_FRAMES])
        source = carray(as_pointer(cells[c.SCRATCH_IN]), (channels, part), np.float32)
        out = carray(as_pointer(cells[c.SCRATCH_OUT]), (channels, part), np.float32)
        if cells[c.CLOCK_BRIDGE] != 0:
            bridge_pull(cells[c.CLOCK_BRIDGE], cells[c.SCRATCH_IN], part)
        else:
            bad = _gather(input_pointers, offset, cells[c.INPUT_CHANNELS], source, part)
            cells[c.NONFINITE_SAMPLES] += bad
        _render(engine, cells, gauges, source, out, part)
        cells[c.NONFINITE_SAMPLES] += _scatter(out, output_pointers, offset, cells[c.OUTPUT_CHANNELS], part)
        offset += part
    restore_float_mode(mode)
    _finish(cells, start_ns, frames)


@compiled
def _input_block(engine: int, input_pointers: int, frames: int, flags: int) -> None:
    cells = carray(as_pointer(engine), (c.CELL_COUNT,), np.int64)
    _count_flags(cells, flags)
    channels, offset = cells[c.CHANNELS], 0
    mode = flush_denormals()
    while offset < frames:
        part = min(frames - offset, cells[c.MAX_FRAMES])
        block = carray(as_pointer(cells[c.SCRATCH_DEVICE]), (channels, part), np.float32)
        cells[c.NONFINITE_SAMPLES] += _gather(input_pointers, offset, cells[c.INPUT_CHANNELS], block, part)
        bridge_push(cells[c.CLOCK_BRIDGE], cells[c.SCRATCH_DEVICE], part)
        offset += part
    restore_float_mode(mode)
    cells[c.INPUT_BLOCKS] += 1


@compiled
def _monitor_block(monitor: int, output_pointers: int, frames: int) -> None:
    fields = carray(as_pointer(monitor), (MONITOR_SIZE,), np.int64)
    channels, offset = fields[MONITOR_CHANNELS], 0
    while offset < frames:
        part = min(frames - offset, fields[MONITOR_MAX_FRAMES])
        block = carray(as_pointer(fields[MONITOR_SCRATCH]), (channels, part), np.float32)
        bridge_pull(fields[MONITOR_BRIDGE], fields[MONITOR_SCRATCH], part)
        _scatter(block, output_pointers, offset, fields[MONITOR_DEVICE_CHANNELS], part)
        offset += part


def _output(source: int, target: int, frames: int, _time: int, flags: int, engine: int) -> int:
    """Render one block for an output device, or for a device with both sides."""
    _duplex_block(engine, source, target, frames, flags)
    return 0


def _input(source: int, _target: int, frames: int, _time: int, flags: int, engine: int) -> int:
    """Hand one block of an input device with a clock of its own to the clock bridge."""
    _input_block(engine, source, frames, flags)
    return 0


def _monitor(_source: int, target: int, frames: int, _time: int, _flags: int, monitor: int) -> int:
    """Fill one block of the monitor device from its clock bridge."""
    _monitor_block(monitor, target, frames)
    return 0


OUTPUT_CALLBACK = StreamCallback(_output)
INPUT_CALLBACK = StreamCallback(_input)
MONITOR_CALLBACK = StreamCallback(_monitor)
