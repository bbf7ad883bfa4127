"""A plugin in this very process: a little quicker, and when it crashes or hangs, so does everything."""

from __future__ import annotations

from collections.abc import Mapping

from vcfx.errors import PluginError
from vcfx_dsp.node import Block
from vcfx_dsp.parameters import Value

from .float_mode import kept_float_mode
from .hosted import HostedPlugin
from .link import PluginTask


class InProcessPlugin:
    """Runs blocks through a plugin on the worker's own thread.

    Parameters
    ----------
    task
        What to run.

    Raises
    ------
    PluginError
        If the plugin cannot be loaded.
    """

    problem = ""

    def __init__(self, task: PluginTask) -> None:
        plugin, spec = task.plugin, task.spec
        terms = (spec.sample_rate, spec.channels, spec.max_frames)
        try:
            with kept_float_mode():
                self._plugin = HostedPlugin(plugin.path, plugin.name, plugin.channels, *terms, task.state, task.values)
        except Exception as error:  # foreign code: whatever it raises is what is wrong with it
            raise PluginError(" ".join(f"{type(error).__name__}: {error}".split())[:300]) from None
        self.latency_samples = self._plugin.latency_samples
        self._wanted: tuple[Mapping[str, Value], ...] = ()

    def set(self, values: Mapping[str, Value]) -> None:
        """Change parameters, by the plugin's names; heard from the next block on. Thread: control."""
        self._wanted = (*self._wanted, values)

    def process(self, block_in: Block, block_out: Block) -> None:
        """Run one block. Thread: worker."""
        if self._wanted:
            self._apply()
        self._plugin.process(block_in, block_out)

    def reset(self) -> None:
        """Forget the sound. Thread: control, while nothing runs this."""
        self._apply()
        self._plugin.reset()

    def close(self) -> None:
        """Nothing is left to be ended; the plugin goes with the object."""

    def _apply(self) -> None:
        wanted = self._wanted
        for values in wanted:
            self._plugin.set(values)
        self._wanted = self._wanted[len(wanted) :]
