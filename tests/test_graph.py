from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.errors import GraphError, ParameterError
from vcfx.graph.bridge import worker_latency
from vcfx.graph.catalogue import create, node_class, node_kinds
from vcfx.graph.graph import INPUT, OUTPUT, Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.graph.sides import Side, assign_sides
from vcfx.hosts.effect_table import EFFECTS, REFUSED
from vcfx_dsp.node import Block

RATE_HZ = 48_000


def render(plan: RenderPlan, signal: Block, block: int) -> Block:
    out = np.empty_like(signal)
    for start in range(0, signal.shape[1], block):
        piece = np.ascontiguousarray(signal[:, start : start + block])
        result = np.full_like(piece, np.nan)
        plan.render(piece, result)
        out[:, start : start + block] = result
    return out


def noise(frames: int = 4_800, channels: int = 1) -> Block:
    return (0.1 * np.random.default_rng(3).standard_normal((channels, frames))).astype(np.float32)


def delayed(signal: Block, frames: int) -> Block:
    return np.concatenate([np.zeros((signal.shape[0], frames), np.float32), signal], 1)[:, : signal.shape[1]]


def host() -> object:
    return create("pedalboard.Gain", gain_db=0.0)


def test_errors_name_what_is_wrong() -> None:
    graph = Graph()
    gain = graph.add(create("gain"))
    with pytest.raises(GraphError, match="did you mean 'gain'"):
        graph.connect(INPUT, "gian")
    with pytest.raises(GraphError, match="takes nothing"):
        graph.connect(gain, INPUT)
    with pytest.raises(GraphError, match="nothing comes after"):
        graph.connect(OUTPUT, gain)
    with pytest.raises(GraphError, match=r"allowed: 0 to 63\.1"):
        graph.connect(INPUT, gain, -1.0)
    with pytest.raises(GraphError, match="two nodes named 'gain'"):
        graph.add(create("gain"), "gain")
    with pytest.raises(GraphError, match="is in the graph already"):
        graph.add(graph.node(gain), "other")
    with pytest.raises(GraphError, match="'output' has no input"):
        graph.ordered()
    graph.connect(INPUT, OUTPUT)
    with pytest.raises(GraphError, match="'gain' reaches no output"):
        graph.ordered()


def test_a_cycle_is_spelled_out() -> None:
    graph = Graph()
    first, second = graph.add(create("gain")), graph.add(create("gain"))
    graph.connect(INPUT, first)
    graph.connect(first, second)
    graph.connect(second, first)
    graph.connect(second, OUTPUT)
    with pytest.raises(GraphError, match="cycle: gain-2 <- gain <- gain-2"):
        graph.ordered()


def test_kernels_at_the_ends_run_in_the_callback_and_hosts_on_the_worker() -> None:
    graph = Graph.of_chain(
        [create("gain"), create("pedalboard.Gain"), create("gain"), create("pedalboard.Gain"), create("gain")]
    )
    sides = assign_sides(graph, graph.ordered())
    assert [sides[name] for name in graph.node_names()] == [
        Side.BEFORE,
        Side.WORKER,
        Side.WORKER,
        Side.WORKER,
        Side.AFTER,
    ]


@pytest.mark.parametrize("delay", [0, 1, 7, 300])
@pytest.mark.parametrize("with_host", [False, True])
def test_parallel_branches_meet_in_time(delay: int, with_host: bool) -> None:
    graph = Graph()
    branches = [([create("delay_line", delay_samples=delay)], 0.5), ([create("gain")], 0.25)]
    if with_host:
        branches.append(([create("gain"), create("pedalboard.Gain", gain_db=0.0)], 0.25))
    else:
        branches.append(([], 0.25))
    graph.connect(graph.parallel(INPUT, branches), OUTPUT)
    plan = RenderPlan(graph, PlanSpec(RATE_HZ, 1, 64, 48))
    signal = np.zeros((1, 1_000), np.float32)
    signal[0, 100] = 1.0
    out = render(plan, signal, 64)
    assert plan.latency_samples == max(delay, 47 if with_host else 0)
    assert np.flatnonzero(np.abs(out[0]) > 1e-6).tolist() == [100 + plan.latency_samples]
    assert out[0, 100 + plan.latency_samples] == pytest.approx(1.0, abs=1e-6)


def test_dry_wet_sums_to_the_input_when_the_branch_does_nothing() -> None:
    graph = Graph()
    graph.connect(graph.parallel(INPUT, [([create("delay_line", delay_samples=33)], 1.0)], mix_ratio=0.3), OUTPUT)
    plan = RenderPlan(graph, PlanSpec(RATE_HZ, 2, 128))
    signal = noise(channels=2)
    np.testing.assert_allclose(render(plan, signal, 128), delayed(signal, 33), atol=1e-7)


def test_a_send_is_added_to_a_later_node() -> None:
    graph = Graph.of_chain([create("gain"), create("gain")])
    side = graph.append("gain", [create("delay_line", delay_samples=10)])
    graph.connect(side, "gain-2", 0.5)
    plan = RenderPlan(graph, PlanSpec(RATE_HZ, 1, 64))
    signal = noise()
    np.testing.assert_allclose(render(plan, signal, 64), 1.5 * delayed(signal, 10), atol=1e-6)


def test_a_node_never_overwrites_what_another_still_reads() -> None:
    graph = Graph()
    first = graph.append(INPUT, [create("gain")])
    point = graph.add_junction()
    graph.connect(first, point)
    louder = graph.append(point, [create("gain", gain_db=20.0)])
    graph.connect(louder, OUTPUT, 0.1)
    graph.connect(first, OUTPUT, 1.0)
    plan = RenderPlan(graph, PlanSpec(RATE_HZ, 1, 64))
    signal = noise()
    np.testing.assert_allclose(render(plan, signal, 64), 2.0 * signal, atol=1e-6)


@pytest.mark.parametrize(("block", "hop"), list(itertools.product([1, 37, 64, 128, 480, 512], [1, 64, 128, 480])))
def test_the_worker_keeps_its_stated_latency_for_any_block_and_hop(block: int, hop: int) -> None:
    plan = RenderPlan(Graph.of_chain([host()]), PlanSpec(RATE_HZ, 1, block, hop))  # type: ignore[list-item]
    signal = noise(2_500)
    np.testing.assert_allclose(render(plan, signal, block), delayed(signal, hop - 1), atol=1e-7)
    assert plan.bridge is not None
    assert plan.latency_samples == hop - 1


@given(sizes=st.lists(st.integers(0, 256), min_size=1, max_size=40))
def test_output_does_not_depend_on_how_sound_is_cut(sizes: list[int]) -> None:
    def plan() -> RenderPlan:
        chain = [create("gain", gain_db=-3.0), create("pedalboard.Reverb"), create("gain", gain_db=3.0)]
        return RenderPlan(Graph.of_chain(chain), PlanSpec(RATE_HZ, 1, 256, 96))

    signal = noise(sum(sizes))
    whole = render(plan(), signal, 256)
    cut, start, out = plan(), 0, np.empty_like(signal)
    for size in sizes:
        result = np.empty((1, size), np.float32)
        cut.render(np.ascontiguousarray(signal[:, start : start + size]), result)
        out[:, start : start + size] = result
        start += size
    np.testing.assert_array_equal(out, whole)


def test_reset_gives_the_same_bits_again() -> None:
    chain = [create("gain"), create("pedalboard.Chorus"), create("gain")]
    plan = RenderPlan(Graph.of_chain(chain), PlanSpec(RATE_HZ, 2, 128))
    signal = noise(channels=2)
    first = render(plan, signal, 128)
    plan.reset()
    np.testing.assert_array_equal(render(plan, signal, 128), first)


@pytest.mark.parametrize("block", [32, 64, 128, 480, 4_096])
@pytest.mark.parametrize("hop", [64, 128, 480])
def test_asynchronous_latency_gives_the_worker_a_whole_hop(block: int, hop: int) -> None:
    latency = worker_latency(hop, block, True)
    spare_blocks = latency - (hop - np.gcd(block, hop))
    assert spare_blocks % block == 0
    assert spare_blocks >= hop


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_live_capable_effect_streams_without_a_gap(name: str, channels: int) -> None:
    node = create(f"pedalboard.{name}")
    plan = RenderPlan(Graph.of_chain([node]), PlanSpec(RATE_HZ, channels, 128))
    out = render(plan, noise(channels=channels), 128)
    assert np.isfinite(out).all()
    assert np.abs(out[:, 127:600]).max() > 1e-5
    for parameter in node.PARAMETERS:
        if parameter.choices:
            node.update(**{parameter.name: parameter.choices[-1]})
        else:
            for value in (parameter.minimum, parameter.maximum, parameter.default):
                node.update(**{parameter.name: value})
    assert np.isfinite(render(plan, noise(channels=channels), 128)).all()


@pytest.mark.parametrize("name", REFUSED)
def test_effects_that_cannot_stream_are_refused_with_what_to_use_instead(name: str) -> None:
    with pytest.raises(ParameterError, match=r"cannot run live: .*use the (node|preset)"):
        node_class(f"pedalboard.{name}")


def test_unknown_kinds_name_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean 'gain'"):
        node_class("gian")
    with pytest.raises(ParameterError, match=r"did you mean 'pedalboard\.Reverb'"):
        node_class("pedalboard.Revreb")
    assert "gain" in node_kinds()
