"""The worker's part of one plan: takes a hop from the bridge, runs the nodes, gives the result back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .bridge import Bridge, give_hop, next_hop, take_hop
from .sides import Side

if TYPE_CHECKING:
    from .plan import PlanSpec
    from .schedule import Schedule


class WorkerSection:
    """Runs host nodes (and kernel nodes between them) in fixed hops. Thread: worker."""

    def __init__(self, bridge: Bridge, schedule: Schedule, spec: PlanSpec) -> None:
        self.done = 0
        self.begun = self.hops = 0
        self.nonfinite_hops = 0
        self._bridge = bridge
        shape = (spec.channels, spec.hop)
        self._taken = np.zeros((len(schedule.sends) * spec.channels, spec.hop), np.float32)
        self._given = np.zeros((len(schedule.returns) * spec.channels, spec.hop), np.float32)
        self._inputs = [schedule.buffers[schedule.send_buffer(name)].reshape(shape) for name in schedule.sends]
        self._outputs = [schedule.buffers[schedule.output_of[name]].reshape(shape) for name in schedule.returns]
        self._steps = [
            (
                step.node.process,
                schedule.buffers[step.source].reshape(shape),
                schedule.buffers[step.target].reshape(shape),
            )
            for step in schedule.steps[Side.WORKER]
        ]
        self._warm_up()

    def work(self) -> int:
        """Process every hop that is ready; returns how many that were."""
        worked = 0
        while self.work_once():
            worked += 1
        return worked

    def work_once(self) -> bool:
        """Process one hop if there is one."""
        position = next_hop(self._bridge.address, self.done)
        if position < 0:
            return False
        self.begun += 1
        take_hop(self._bridge.address, position, self._taken)
        self._run()
        give_hop(self._bridge.address, position, self._given)
        self.done = position + self._taken.shape[1]
        self.hops = self.begun
        return True

    def skip_hop(self) -> None:
        """Give silence for the hop that failed."""
        position = max(next_hop(self._bridge.address, self.done), self.done)
        self._given[:] = 0
        give_hop(self._bridge.address, position, self._given)
        self.done = position + self._taken.shape[1]
        self.hops = self.begun

    def _run(self) -> None:
        channels = self._inputs[0].shape[0]
        for index, block in enumerate(self._inputs):
            block[:] = self._taken[index * channels : (index + 1) * channels]
        for process, source, target in self._steps:
            process(source, target)
        for index, block in enumerate(self._outputs):
            self._given[index * channels : (index + 1) * channels] = block
        if not _all_finite(self._given):
            self.nonfinite_hops += 1
            self._given[:] = 0

    def _warm_up(self) -> None:
        """Compile the hand-over before sound runs."""
        address = self._bridge.address
        next_hop(address, 0)
        take_hop(address, 0, self._taken)
        give_hop(address, 0, self._given)
        self._bridge.reset()


def _all_finite(block: npt.NDArray[np.float32]) -> bool:
    return bool(np.isfinite(block.sum()))
