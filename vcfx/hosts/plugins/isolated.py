"""A plugin in a process of its own: whatever it does, the worker waits for it no longer than it may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vcfx.errors import PluginError
from vcfx_dsp.node import Block
from vcfx_dsp.parameters import Value

from .conceal import Concealment
from .keeper import PluginKeeper
from .link import PluginLink, PluginTask

#: The part of a block's time for which the worker waits; what else it has to do has the other half.
PATIENCE: Final = 0.5
#: A plugin that misses so many blocks in a row is waited for no more until it has caught up.
_WAITED_MISSES: Final = 3
_SLOW_MISSES: Final = 100
_FILE_PATIENCE_S: Final = 30.0


class IsolatedPlugin:
    """Runs blocks through a plugin in a child process.

    Costs no latency as long as the child answers within half a block's time. `latency_hops` above 0 gives it so
    many blocks more; blocks must then all have the full length.

    Parameters
    ----------
    task
        What to run. With ``task.spec.waits`` (files) it waits for the child, and raises when that dies; otherwise
        what is missing is concealed as ``task.spec.on_overload`` says, until another child has taken over.
    latency_hops
        Blocks by which the output is behind the input on purpose.

    Raises
    ------
    PluginError
        If the plugin cannot be loaded.
    """

    def __init__(self, task: PluginTask, latency_hops: int = 0) -> None:
        self._task, self._hops = task, latency_hops
        spec = task.spec
        self._patience_s = _FILE_PATIENCE_S if spec.waits else PATIENCE * spec.max_frames / spec.sample_rate
        self._keeper = PluginKeeper(task)
        self._misses = 0
        self.missed_blocks = 0
        self.latency_samples = int(self._keeper.facts["latency_samples"]) + latency_hops * spec.max_frames
        self._concealment = Concealment(
            spec.on_overload, spec.sample_rate, spec.channels, spec.max_frames, self.latency_samples
        )

    @property
    def process_id(self) -> int | None:
        """The child's, or None while there is none."""
        link = self._keeper.link
        return None if link is None else link.process.pid

    @property
    def restarts(self) -> int:
        """How often another child had to take over."""
        return self._keeper.restarts

    @property
    def problem(self) -> str:
        """What is wrong at the moment, one sentence; empty while all is well."""
        if self._keeper.problem or self._misses < _SLOW_MISSES:
            return self._keeper.problem
        frames, name = self._task.spec.max_frames, self._task.plugin.name
        return f"plugin '{name}' is too slow for blocks of {frames} frames; give it latency_hops = {self._hops + 1}"

    def set(self, values: Mapping[str, Value]) -> None:
        """Change parameters, by the plugin's names; heard from the next block on. Thread: control."""
        self._keeper.set(values)

    def reset(self) -> None:
        """Forget the sound. Thread: control, while nothing runs this."""
        link = self._keeper.link
        if link is not None:
            link.receive(link.sent, self._patience_s)
            link.tell(reset=True)
            link.first = link.sent
        self._concealment.reset()
        self._misses = 0

    def close(self) -> None:
        """End the child; returns at once. Thread: any."""
        self._keeper.close()

    def process(self, block_in: Block, block_out: Block) -> None:
        """Run one block; a missing answer is concealed, or (files) raises. Thread: worker."""
        if block_in.shape[1] == 0:
            return
        self._concealment.hear(block_in)
        link = self._keeper.link
        if link is None or not self._is_answered(link, block_in):
            self._miss(link, block_out)
            return
        self._misses = 0
        number = link.sent - 1 - self._hops
        if number < link.first:
            block_out[:] = 0
        else:
            link.answer(number, block_out)
        self._concealment.pass_on(block_out)

    def _is_answered(self, link: PluginLink, block_in: Block) -> bool:
        link.receive(link.sent, 0.0)
        is_behind = link.done < link.sent - self._hops
        waits = self._task.spec.waits or not is_behind or self._misses < _WAITED_MISSES
        return link.send(block_in) and link.receive(link.sent - self._hops, self._patience_s if waits else 0.0)

    def _miss(self, link: PluginLink | None, block_out: Block) -> None:
        self._misses += 1
        self.missed_blocks += 1
        if self._task.spec.waits:
            reason = self._keeper.end_reason if link is None else link.epitaph
            raise PluginError(f"plugin '{self._task.plugin.name}' failed: {reason}")
        self._concealment.stand_in(block_out)
