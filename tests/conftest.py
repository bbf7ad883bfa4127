from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from importlib import import_module
from pathlib import Path

os.environ.setdefault("NUMBA_NRT_STATS", "1")  # must be set before numba is imported: the contract counts allocations

# Keys, papers and the audit log of the person who runs the tests are none of the tests' business.
os.environ["VCFX_DATA_DIR"] = tempfile.mkdtemp(prefix="vcfx-tests-")

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from panel_stage import Stage

atexit.register(shutil.rmtree, os.environ["VCFX_DATA_DIR"], ignore_errors=True)

# A shell ignores SIGINT in what it starts in the background, and children inherit that: tests of Ctrl-C would hang.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("vcfx", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vcfx")


def pytest_configure(config: pytest.Config) -> None:
    """Let one process compile librosa's functions: several at once mix up numba's cache of those with many types."""
    if not hasattr(config, "workerinput"):
        for module in ("librosa.util.utils", "librosa.core.audio", "librosa.core.pitch"):
            import_module(module)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests with a JACK server on one worker: they would wait for each other, see `sound_servers.dummy_jack`."""
    for item in items:
        if item.get_closest_marker("jack") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("jack"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_251_122)


@pytest.fixture(scope="session")
def voice_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny untrained model and the voices ``anna`` and ``bert``."""
    from voice_models import write_voice_model

    return write_voice_model(tmp_path_factory.mktemp("voice_model"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser without a window."""
    from panel_stage import opened_browser

    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The panel's server in a process of its own, before a surface that keeps what it is told."""
    from panel_stage import opened_stage

    with opened_stage() as opened:
        yield opened
