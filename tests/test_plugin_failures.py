"""Plugins that die, stall or are slow while sound runs; and what is left behind when somebody is killed."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hosted_plugins import ZAM, crashing_bundle, is_running, needs_compiler, needs_zam, wait_until, zam
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, tone
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.errors import PluginError
from vcfx.hosts.plugins import keeper
from vcfx.hosts.plugins.conceal import Concealment
from vcfx.hosts.plugins.description import PluginDescription
from vcfx.hosts.plugins.isolated import IsolatedPlugin
from vcfx.hosts.plugins.link import PluginTask
from vcfx.hosts.plugins.plugin_node import PluginNode
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry
from vcfx_dsp.node import Block, ProcessSpec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
RATE_HZ, HOP = 48_000, 960
LIVE = ProcessSpec(RATE_HZ, HOP, 1, waits=False)
FILE = replace(LIVE, waits=True)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


class LiveRun:
    """Feeds a plugin with a tone at the pace of live sound."""

    def __init__(self, host: IsolatedPlugin) -> None:
        self.host, self.longest_s = host, 0.0
        time_s = np.arange(HOP) / RATE_HZ
        self._tone = (0.3 * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)[np.newaxis]  # four periods a hop
        self.made: list[Block] = []

    def hop(self) -> Block:
        out = np.full_like(self._tone, np.nan)
        start_s = time.monotonic()
        self.host.process(self._tone, out)
        took_s = time.monotonic() - start_s
        self.longest_s = max(self.longest_s, took_s)
        time.sleep(max(0.0, HOP / RATE_HZ - took_s))
        self.made.append(out)
        return out

    def sounds(self) -> bool:
        return bool(np.abs(self.hop()).max() > 0.25)

    def settled_peak(self) -> float:
        """The peak when a compressor's envelopes have come to rest."""
        for _ in range(40):
            self.hop()
        return float(np.abs(self.made[-1]).max())

    def until(self, sounds: bool) -> None:
        wait_until(lambda: self.sounds() is sounds)

    def until_it_was_seen_to(self) -> None:
        before = self.host.restarts
        wait_until(lambda: self.hop().size and (self.host.restarts > before or "stays off" in self.host.problem))

    def until_there_is_a_spare(self) -> None:
        kept = self.host._keeper
        wait_until(lambda: self.hop() is not None and kept._spare_is_ready)


@pytest.fixture
def running() -> Iterator[LiveRun]:
    host = IsolatedPlugin(PluginTask(zam("ZamCompX2"), LIVE))
    run = LiveRun(host)
    run.until(sounds=True)
    run.until_there_is_a_spare()
    yield run
    host.close()


def largest_step(made: list[Block]) -> float:
    return float(np.abs(np.diff(np.concatenate(made, axis=1))).max())


TONE_STEP = 0.3 * 2 * np.pi * 200 / RATE_HZ


@needs_zam
@pytest.mark.parametrize(
    ("number", "reason"),
    [(signals.SIGKILL, "it was killed by SIGKILL"), (signals.SIGSTOP, "it did not answer for 0.25 s")],
)
def test_the_voice_comes_back_when_its_plugin_dies_or_stalls(running: LiveRun, number: int, reason: str) -> None:
    victim = running.host.process_id
    assert victim is not None
    os.kill(victim, number)
    wait_until(lambda: running.hop() is not None and running.host.restarts == 1)
    running.until(sounds=True)
    assert running.host.problem == f"plugin 'ZamCompX2' had to be replaced once: {reason}"
    assert running.host.process_id != victim
    wait_until(lambda: not is_running(victim))
    sound = np.concatenate(running.made, axis=1)
    assert np.isfinite(sound).all()
    assert largest_step(running.made) < 4 * TONE_STEP  # no click, neither where it stops nor where it returns


@needs_zam
def test_parameters_outlive_a_restart(running: LiveRun) -> None:
    running.host.set({"threshold_db": -40.0, "ratio": 20.0})
    quiet = running.settled_peak()
    assert quiet < 0.1
    assert running.host.process_id is not None
    os.kill(running.host.process_id, signals.SIGKILL)
    wait_until(lambda: running.hop() is not None and running.host.restarts == 1)
    assert running.settled_peak() == pytest.approx(quiet, rel=0.05)


@needs_zam
def test_a_plugin_that_fails_again_and_again_stays_off(running: LiveRun) -> None:
    for _ in range(keeper.MAX_RESTARTS):
        running.until_there_is_a_spare()
        child = running.host.process_id
        assert child is not None
        os.kill(child, signals.SIGKILL)
        running.until_it_was_seen_to()
    assert "failed 5 times within 60 s and stays off" in running.host.problem
    assert running.host.process_id is None
    running.until(sounds=False)  # the unconverted voice is not heard


@needs_zam
def test_in_a_session_only_the_plugins_sound_is_missing_while_it_is_away() -> None:
    entry = NodeEntry("plugin", "comp", {"plugin": str(ZAM / "ZamCompX2.vst3")})
    backend = FakeBackend([FakeDevice("fake", source=tone(200.0, RATE_HZ))])
    session = LiveSession(backend, Preset("p", chain=(entry,), hop_frames=HOP), SessionRequest(block=480))
    session.start()
    node = session.engine.plan.node("comp")
    assert isinstance(node, PluginNode)
    host = node.host
    assert isinstance(host, IsolatedPlugin)
    wait_until(lambda: host._keeper._spare_is_ready and session.engine.levels().output_rms_db > -12.0)
    child = host.process_id
    assert child is not None
    os.kill(child, signals.SIGKILL)
    wait_until(lambda: host.restarts == 1)
    wait_until(lambda: session.engine.levels().output_rms_db > -12.0)
    assert session.engine.plan.problems() == ["plugin 'ZamCompX2' had to be replaced once: it was killed by SIGKILL"]
    assert session.engine.statistics().worker_errors == 0
    after = host.process_id
    session.close()
    assert after is not None
    wait_until(lambda: not is_running(after))


@needs_zam
def test_a_file_is_not_concealed_but_fails_when_the_plugin_dies() -> None:
    host = IsolatedPlugin(PluginTask(zam("ZamCompX2"), FILE))
    block = np.zeros((1, HOP), np.float32)
    host.process(block, block)
    assert host.process_id is not None
    child = host.process_id
    os.kill(child, signals.SIGKILL)
    wait_until(lambda: not is_running(child))
    with pytest.raises(PluginError, match=r"plugin 'ZamCompX2' failed: it (was killed|does not answer)"):
        host.process(block, block)
    host.close()


@needs_zam
def test_a_file_waits_for_a_plugin_that_pauses() -> None:
    host = IsolatedPlugin(PluginTask(zam("ZamCompX2"), FILE))
    child = host.process_id
    assert child is not None
    os.kill(child, signals.SIGSTOP)
    waker = subprocess.Popen(["sh", "-c", f"sleep 0.6; kill -CONT {child}"])
    block = np.full((1, HOP), 0.1, np.float32)
    host.process(block, block)
    assert waker.wait(10.0) == 0
    assert host.missed_blocks == 0
    assert block.any()
    host.close()


@needs_compiler
def test_a_plugin_that_crashes_while_loading_is_told(tmp_path: Path) -> None:
    bundle = crashing_bundle(tmp_path)
    plugin = PluginDescription("Crash", str(bundle), channels=(1,))
    with pytest.raises(PluginError, match="it was killed by SIGSEGV"):
        IsolatedPlugin(PluginTask(plugin, LIVE))


PARENT = """
import os, sys, time
import numpy as np
sys.path[:0] = sys.argv[1].split(os.pathsep)
from hosted_plugins import zam
from vcfx.hosts.plugins.isolated import IsolatedPlugin
from vcfx.hosts.plugins.link import PluginTask
from vcfx_dsp.node import ProcessSpec
host = IsolatedPlugin(PluginTask(zam("ZamCompX2"), ProcessSpec(48_000, 480, 1, waits=False)))
while not host._keeper._spare_is_ready:
    time.sleep(0.01)
print(host.process_id, host._keeper._spare.process.pid, flush=True)
time.sleep(600)
"""


@needs_zam
@pytest.mark.parametrize("stopped", [False, True])
def test_nothing_is_left_behind_when_the_parent_is_killed(stopped: bool) -> None:
    shared = set(os.listdir("/dev/shm"))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, os.pathsep.join(filter(None, sys.path))], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    children = [int(number) for number in parent.stdout.readline().split()]
    assert len(children) == 2
    assert all(is_running(child) for child in children)
    if stopped:
        os.kill(children[0], signals.SIGSTOP)
    parent.kill()
    parent.wait(10.0)
    parent.stdout.close()
    wait_until(lambda: not any(is_running(child) for child in children))
    assert not [name for name in set(os.listdir("/dev/shm")) - shared if name.startswith("vcfx")]


@needs_zam
def test_a_node_that_is_dropped_ends_its_process() -> None:
    host = IsolatedPlugin(PluginTask(zam("ZamCompX2"), FILE))
    child = host.process_id
    assert child is not None
    host.close()
    wait_until(lambda: not Path(f"/proc/{child}").exists())  # no zombie either


def concealed(policy: str, missing: int, latency: int = 0) -> tuple[Block, Block]:
    """Return what goes in and what comes out of hops of 480, of which `missing` are missing behind the tenth."""
    time_s = np.arange(480 * 40) / RATE_HZ
    wet = (0.3 * np.sin(2 * np.pi * 150 * time_s)).astype(np.float32)[np.newaxis]
    dry = (0.3 * np.sin(2 * np.pi * 1_000 * time_s)).astype(np.float32)[np.newaxis]
    standing_in = Concealment(policy, RATE_HZ, 1, 480, latency)
    out = []
    for index in range(40):
        block = wet[:, 480 * index : 480 * (index + 1)].copy()
        standing_in.hear(dry[:, 480 * index : 480 * (index + 1)])
        if 10 <= index < 10 + missing:
            block[:] = np.nan
            standing_in.stand_in(block)
        else:
            standing_in.pass_on(block)
        out.append(block)
    return wet, np.concatenate(out, axis=1)


@pytest.mark.parametrize("policy", ["conceal", "silence"])
@pytest.mark.parametrize("missing", [1, 3, 20])
def test_what_is_missing_fades_without_a_click_and_never_lets_the_dry_voice_through(policy: str, missing: int) -> None:
    wet, out = concealed(policy, missing)
    np.testing.assert_array_equal(out[:, :4_800], wet[:, :4_800])
    back = 480 * (10 + missing)
    np.testing.assert_array_equal(out[:, back + 240 :], wet[:, back + 240 :])
    faded_ms = {"conceal": 30, "silence": 3}[policy]
    assert not out[:, 4_800 + 48 * faded_ms : back].any()
    limit = 0.3 * 2 * np.pi * 150 / RATE_HZ + 0.6 / (3 * 48)
    assert np.abs(np.diff(out)).max() < limit


def test_the_dry_voice_stands_in_where_the_preset_wants_it() -> None:
    _, out = concealed("dry", 20, latency=100)
    time_s = np.arange(480 * 40) / RATE_HZ
    dry = (0.3 * np.sin(2 * np.pi * 1_000 * (time_s - 100 / RATE_HZ))).astype(np.float32)
    np.testing.assert_allclose(out[0, 4_800 + 240 : 14_400], dry[4_800 + 240 : 14_400], atol=1e-5)
