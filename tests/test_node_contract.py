"""Every registered node keeps the same promises. A new node gets these tests by being registered."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.runtime import rtsys

from contract_case import case_of
from vcfx_dsp.node import Block, KernelNode, Node, ProcessSpec
from vcfx_dsp.registry import NODES, create

RATE_HZ = 48_000
LENGTH = 6_000
ALL = [
    pytest.param(kind, variant, id=f"{kind}-{index}")
    for kind in NODES
    for index, variant in enumerate(case_of(kind).variants)
]
Variant = Mapping[str, object]


def prepared(kind: str, variant: Variant, channels: int = 2, rate_hz: int = RATE_HZ, frames: int = LENGTH) -> Node:
    node = create(kind, **variant)
    node.prepare(ProcessSpec(rate_hz, frames, channels))
    return node


def render(node: Node, signal: Block, sizes: list[int] | None = None) -> Block:
    """Run `signal` through `node` in blocks of the given sizes (the rest in one)."""
    out = np.empty_like(signal)
    start = 0
    for size in [*(sizes or []), signal.shape[1]]:
        stop = min(start + size, signal.shape[1])
        piece = np.ascontiguousarray(signal[:, start:stop])
        result = np.full_like(piece, np.nan)
        node.process(piece, result)
        out[:, start:stop] = result
        start = stop
    return out


def voice_like(rng: np.random.Generator, channels: int = 2, frames: int = LENGTH) -> Block:
    """Harmonics of 140 Hz with gaps and noise: exercises gates, envelopes and pitch alike."""
    time_s = np.arange(frames) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12))
    gated = tone * (np.sin(2 * np.pi * 9 * time_s) > -0.4)
    return np.ascontiguousarray((0.2 * gated + 0.02 * rng.standard_normal((channels, frames))).astype(np.float32))


@pytest.mark.parametrize(("kind", "variant"), ALL)
@given(sizes=st.lists(st.one_of(st.integers(0, 700), st.sampled_from([0, 1, 127, 128, 480])), max_size=20))
def test_any_split_gives_the_same_bits(kind: str, variant: Variant, sizes: list[int]) -> None:
    signal = voice_like(np.random.default_rng(1))
    node = prepared(kind, variant)
    whole = render(node, signal)
    node.reset()
    np.testing.assert_array_equal(render(node, signal, sizes), whole)


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 192_000])
def test_identity_is_the_delayed_input(kind: str, rate_hz: int, rng: np.random.Generator) -> None:
    case = case_of(kind)
    if case.identity is None:
        assert not case.identity_atol, "a tolerance without an identity checks nothing"
        return
    node = prepared(kind, case.identity, rate_hz=rate_hz, frames=24_000)
    signal = voice_like(rng, frames=24_000)
    delay = node.latency_samples
    expected = np.concatenate([np.zeros((2, delay), np.float32), signal], axis=1)[:, : signal.shape[1]]
    np.testing.assert_allclose(render(node, signal), expected, rtol=0, atol=case.identity_atol)


@pytest.mark.parametrize("kind", NODES)
def test_impulse_arrives_after_the_stated_latency(kind: str) -> None:
    case = case_of(kind)
    if case.identity is None:
        return
    node = prepared(kind, case.identity)
    impulse = np.zeros((2, LENGTH), np.float32)
    impulse[:, 1_000] = 0.5
    out = render(node, impulse)
    assert np.abs(out).argmax(axis=1).tolist() == [1_000 + node.latency_samples] * 2


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_reset_gives_the_same_bits_again(kind: str, variant: Variant, rng: np.random.Generator) -> None:
    node = prepared(kind, variant)
    signal = voice_like(rng)
    first = render(node, signal, [100, 200])
    node.reset()
    np.testing.assert_array_equal(render(node, signal, [100, 200]), first)


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_two_nodes_of_a_kind_share_nothing(kind: str, variant: Variant, rng: np.random.Generator) -> None:
    signal = voice_like(rng)
    alone = render(prepared(kind, variant), signal)
    one, other = prepared(kind, variant), prepared(kind, variant)
    render(other, 0.5 * signal[:, ::-1].copy())
    np.testing.assert_array_equal(render(one, signal), alone)


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_silence_follows_silence_after_the_tail(kind: str, variant: Variant, rng: np.random.Generator) -> None:
    if not case_of(kind).silent:
        return
    node = prepared(kind, variant, frames=1 << 20)
    burst = voice_like(rng)
    render(node, burst)
    tail = np.zeros((2, node.tail_samples + 2_000), np.float32)
    out = render(node, tail)
    assert np.abs(out[:, node.tail_samples :]).max() <= 1e-6


@pytest.mark.parametrize(("kind", "variant"), ALL)
@pytest.mark.parametrize("signal_name", ["noise", "square", "dc", "denormal", "hot"])
def test_output_is_finite_and_complete(kind: str, variant: Variant, signal_name: str, rng: np.random.Generator) -> None:
    noise = rng.uniform(-1, 1, (2, LENGTH)).astype(np.float32)
    signal = {
        "noise": noise,
        "square": np.sign(noise),
        "dc": np.ones_like(noise),
        "denormal": np.full_like(noise, 1e-41),
        "hot": 100 * noise,
    }[signal_name]
    out = render(prepared(kind, variant), np.ascontiguousarray(signal), [0, 1, 1, 64])
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 1e5


@pytest.mark.parametrize(("kind", "variant"), ALL)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_any_rate_and_channel_count(kind: str, variant: Variant, channels: int, rate_hz: int) -> None:
    node = prepared(kind, variant, channels, rate_hz)
    signal = voice_like(np.random.default_rng(2), channels)
    assert np.isfinite(render(node, signal, [333])).all()
    assert 0 <= node.latency_samples <= node.tail_samples


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_in_place_equals_separate(kind: str, variant: Variant, rng: np.random.Generator) -> None:
    signal = voice_like(rng)
    node = prepared(kind, variant)
    if not node.allows_inplace:
        return
    expected = render(node, signal)
    node.reset()
    block = signal.copy()
    node.process(block, block)
    np.testing.assert_array_equal(block, expected)


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_process_allocates_nothing(kind: str, variant: Variant, rng: np.random.Generator) -> None:
    node = prepared(kind, variant)
    block, out = voice_like(rng), np.empty((2, LENGTH), np.float32)
    node.process(block, out)
    tracemalloc.start()
    before, python_before = rtsys.get_allocation_stats().alloc, tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        node.process(block, out)
    native, python = rtsys.get_allocation_stats().alloc - before, tracemalloc.get_traced_memory()[0] - python_before
    tracemalloc.stop()
    assert native == 0
    assert python < 4_096


@pytest.mark.parametrize("kind", NODES)
def test_every_live_number_can_change_while_sound_runs(kind: str, rng: np.random.Generator) -> None:
    node = prepared(kind, {})
    signal = voice_like(rng)
    for parameter in node.PARAMETERS:
        if not parameter.live or parameter.choices:
            continue
        for value in (parameter.minimum, parameter.maximum, parameter.default):
            node.update(**{parameter.name: value})
            assert np.isfinite(render(node, signal, [480, 480])).all()


@pytest.mark.parametrize("kind", NODES)
def test_preparing_again_changes_nothing(kind: str, rng: np.random.Generator) -> None:
    node = prepared(kind, {})
    signal = voice_like(rng)
    first = render(node, signal)
    node.prepare(ProcessSpec(RATE_HZ, LENGTH, 2))
    np.testing.assert_array_equal(render(node, signal), first)
    assert isinstance(node, KernelNode)
