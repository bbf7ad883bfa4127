from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.watermark import watermark
from vcfx_dsp.core.watermark_layout import BANDS, SLOTS
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.key import DEFAULT_KEY, WatermarkKey
from vcfx_dsp.watermark.pattern import SYNC, SYNC_TILES, band_centres_hz, band_shares, band_widths_hz, pattern_of
from vcfx_dsp.watermark.payload import CODE_BITS, MAX_PAYLOAD

FIRST_SLOT = "++---++-+-++--+--+-+-+-+"
OWN_KEY = "00112233445566778899aabbccddeeff"


def prepared(rate_hz: int = 48_000, channels: int = 1, **parameters: object) -> Watermark:
    node = Watermark(**parameters)
    node.prepare(ProcessSpec(rate_hz, 4 * rate_hz, channels))
    return node


def processed(node: Watermark, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


@given(
    payload=st.integers(0, MAX_PAYLOAD),
    strength_db=st.floats(0.1, 3.0),
    rate_hz=st.sampled_from([8_000, 11_025, 24_000]),
    key=st.sampled_from(["", OWN_KEY]),
)
def test_it_equals_the_reference(payload: int, strength_db: float, rate_hz: int, key: str) -> None:
    signal = np.random.default_rng(8).uniform(-1, 1, (1, rate_hz // 4)).astype(np.float32)
    out = processed(prepared(rate_hz, payload=float(payload), strength_db=strength_db, key=key), signal)
    tiles = pattern_of(WatermarkKey.from_hex(key)).tiles(payload)
    np.testing.assert_allclose(out[0], watermark(signal[0], tiles, strength_db, rate_hz), rtol=0, atol=2e-6)


def test_it_goes_on_after_a_frame_as_it_began() -> None:
    signal = np.random.default_rng(8).uniform(-1, 1, (1, 4 * 8_000)).astype(np.float32)
    out = processed(prepared(8_000, payload=77.0), signal)
    expected = watermark(signal[0], pattern_of(DEFAULT_KEY).tiles(77), 2.0, 8_000)
    np.testing.assert_allclose(out[0], expected, rtol=0, atol=2e-6)


def test_tones_rise_and_fall_by_the_strength() -> None:
    """At a band's centre its own filter gives its share; the others ``share / (1 + (2 d / width)^2)``, d away."""
    centre_hz = band_centres_hz()[12]
    signal = np.sin(2 * np.pi * centre_hz * np.arange(4 * 48_000) / 48_000).astype(np.float32)[None]
    out = processed(prepared(strength_db=2.0), signal)
    level_db = 20 * np.log10(np.abs(out[0]).reshape(-1, 960)[:, 720:].max(axis=1))  # at rest, a slot each
    shares = band_shares() / (1 + (2 * (band_centres_hz() - centre_hz) / band_widths_hz()) ** 2)
    depth = 10 ** (2.0 / 20) - 1
    turned_db = 0.4  # what the neighbours' quarter-turned parts may add
    assert level_db.max() < 20 * np.log10(1 + depth * shares.sum()) + turned_db
    assert level_db.min() > 20 * np.log10(1 - depth * shares.sum())
    expected = 20 / np.log(10) * depth * np.sqrt(np.sum(shares**2))
    assert np.std(level_db) == pytest.approx(expected, rel=0.2)


def test_noise_changes_little_and_not_in_the_mean() -> None:
    signal = np.random.default_rng(3).normal(0, 0.1, (1, 48_000 * 4)).astype(np.float32)
    out = processed(prepared(strength_db=2.0), signal)
    change_db = 10 * np.log10(np.mean(out**2) / np.mean(signal**2))
    assert abs(change_db) < 0.2  # what is raised gains a little more power than what is lowered loses


def test_changes_do_not_click() -> None:
    time_s = np.arange(24_000) / 48_000
    signal = (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)[None]
    node = prepared(strength_db=0.0)
    out = []
    for change in ({}, {"strength_db": 3.0}, {"payload": 5.0}, {"payload": 12_345.0}, {"strength_db": 0.0}):
        node.update(**change)
        out.append(processed(node, signal[:, :4_800])[0])
    whole = np.concatenate(out)  # 44 whole periods a piece: the tone goes on from piece to piece
    unmarked = np.tile(signal[0, :4_800], 5)
    assert np.abs(np.diff(whole - unmarked)).max() < 1.2 * np.abs(np.diff(unmarked)).max()
    np.testing.assert_array_equal(whole[-4_000:], unmarked[-4_000:])


def test_channels_carry_the_same_mark() -> None:
    signal = np.random.default_rng(4).normal(0, 0.1, (1, 9_600)).astype(np.float32)
    alone = processed(prepared(), signal)
    both = processed(prepared(channels=2), np.concatenate([signal, 0.5 * signal]))
    np.testing.assert_array_equal(both[0], alone[0])
    np.testing.assert_allclose(both[1], 0.5 * alone[0], atol=1e-7)


def test_a_key_spreads_known_tiles_and_bits_over_the_frame() -> None:
    pattern = pattern_of(DEFAULT_KEY)
    counts = np.bincount(pattern.bits.ravel() + 1, minlength=CODE_BITS + 1)
    assert counts[SYNC + 1] == SYNC_TILES
    assert set(counts[1:]) == {(BANDS * SLOTS - SYNC_TILES) // CODE_BITS}
    other = pattern_of(WatermarkKey.from_hex(OWN_KEY))
    assert abs(float(np.mean(pattern.signs * other.signs))) < 0.1
    assert abs(float(np.mean(pattern.signs))) < 0.1


def test_the_public_pattern_stays_what_files_already_carry() -> None:
    tiles = pattern_of(DEFAULT_KEY).tiles(0xABCDEF)
    assert "".join("+" if tile > 0 else "-" for tile in tiles[0]) == FIRST_SLOT


@pytest.mark.parametrize("key", ["0011", "zz" * 8, "00" * 65, "0" * 17])
def test_keys_of_another_form_are_refused(key: str) -> None:
    with pytest.raises(ParameterError, match="watermark key"):
        Watermark(key=key)


@pytest.mark.parametrize("payload", [-1.0, 0.5, MAX_PAYLOAD + 1.0])
def test_payloads_out_of_range_are_refused(payload: float) -> None:
    with pytest.raises(ParameterError, match="payload"):
        Watermark(payload=payload)
