"""What a node is. Four verbs: `__init__`, `prepare`, `process`, `reset`; two numbers: latency and tail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .core.kernel import Kernel, run_kernel
from .errors import ParameterError
from .parameters import Parameter, Value, check_all
from .state import State

Block = npt.NDArray[np.float32]
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 32


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """The terms under which a node works.

    Parameters
    ----------
    sample_rate
        Hz, 8000 to 192000.
    max_frames
        The longest block that `process` will see.
    channels
        Rows of a block.
    waits
        Whether `process` may take any time (files), or has to be done within the block's (live). Concerns only nodes
        that wait for somebody else.
    on_overload
        What such a node puts out when it cannot wait any longer: ``conceal``, ``silence`` or ``dry``.
    """

    sample_rate: int
    max_frames: int
    channels: int
    waits: bool = True
    on_overload: str = "conceal"

    def __post_init__(self) -> None:
        limits = (
            ("sample_rate", self.sample_rate, MIN_RATE_HZ, MAX_RATE_HZ),
            ("max_frames", self.max_frames, 1, 1 << 20),
            ("channels", self.channels, 1, MAX_CHANNELS),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise ParameterError(f"{name} is {value}; allowed: {low} to {high}")


class Node(ABC):
    """A block processor with checked parameters.

    `__init__` checks and costs nothing. `prepare` is the only verb that allocates, loads and compiles.
    `process` takes 0 to ``max_frames`` frames, writes every sample, never raises, logs, locks or waits.
    `reset` returns to the state right after `prepare`; parameters stay.
    """

    kind: ClassVar[str]
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()
    #: Whether block_out may be block_in.
    allows_inplace: ClassVar[bool] = True

    def __init__(self, **parameters: object) -> None:
        self._parameters = check_all(self.PARAMETERS, parameters, self.kind)
        self._spec: ProcessSpec | None = None

    @property
    def parameters(self) -> dict[str, Value]:
        """A copy of every parameter's value. Thread: control."""
        return dict(self._parameters)

    @property
    def spec(self) -> ProcessSpec:
        """The spec of the last `prepare`."""
        if self._spec is None:
            raise ParameterError(f"{self.kind}: prepare(spec) has not been called")
        return self._spec

    @property
    def latency_samples(self) -> int:
        """Delay from input to output, exact, valid after `prepare`, constant until the next one."""
        return 0

    @property
    def tail_samples(self) -> int:
        """Frames after the input falls silent until the output is silent (below -120 dBFS) too, latency included."""
        return self.latency_samples

    @property
    def problem(self) -> str:
        """What is wrong with it at the moment, one sentence; empty while all is well. Thread: any."""
        return ""

    def preferred_hop(self, sample_rate: int) -> int | None:
        """Frames per hop that cost this node the least latency if it runs on the worker; None: any. Before `prepare`.

        If `prepare` is given just that as ``max_frames``, the blocks of `process` have that length, all of them.
        """
        return None

    @abstractmethod
    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate, load, compile and warm up for `spec`. Thread: control."""

    @abstractmethod
    def process(self, block_in: Block, block_out: Block) -> None:
        """Fill `block_out` from `block_in`; both float32 (channels, frames), C-contiguous. Thread: worker."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all signal history. Thread: control, while nothing runs this node."""

    @abstractmethod
    def update(self, **parameters: object) -> None:
        """Change live parameters; the sound ramps to them. Thread: control or worker, between blocks."""

    def release(self) -> None:  # noqa: B027  most nodes hold nothing that needs giving back
        """Give back what `prepare` took and the collector would not. Thread: control."""

    def _merged(self, given: dict[str, object]) -> dict[str, Value]:
        merged = check_all(self.PARAMETERS, {**self._parameters, **given}, self.kind)
        for parameter in self.PARAMETERS:
            name = parameter.name
            if not parameter.live and merged[name] != self._parameters[name]:
                raise ParameterError(f"{self.kind}: {name} cannot change while sound runs; build a new plan for it")
        return merged


class KernelNode(Node):
    """A node whose work is one compiled kernel, so that it may run inside the audio callback."""

    kernel: ClassVar[Kernel]

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        self._state: State | None = None

    @abstractmethod
    def initial_state(self, spec: ProcessSpec) -> State:
        """Return a fresh state around `settings`; array sizes depend on `spec` and non-live parameters."""

    @abstractmethod
    def settings(self, spec: ProcessSpec) -> list[float]:
        """Return what the kernel needs of the parameters: coefficients, linear gains, lengths in samples."""

    @property
    def state(self) -> State:
        """The state that the kernel works on. Thread: control, for reading meters."""
        if self._state is None:
            raise ParameterError(f"{self.kind}: prepare(spec) has not been called")
        return self._state

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate the state and compile the kernel. Thread: control."""
        self._spec = spec
        self._state = self.initial_state(spec)
        self._warm_up(spec)
        self.reset()

    def _warm_up(self, spec: ProcessSpec) -> None:
        silence = np.zeros((spec.channels, min(16, spec.max_frames)), np.float32)
        self.process(silence, silence.copy())

    def process(self, block_in: Block, block_out: Block) -> None:
        """Run the kernel from Python: tests, files, the worker. Thread: any, one at a time."""
        channels, frames = block_in.shape
        source, target = block_in.ctypes.data, block_out.ctypes.data
        run_kernel(self.kernel.address, self.state.address, source, target, channels, frames)

    def reset(self) -> None:
        """Forget all signal history; addresses stay."""
        self.state.copy_from(self.initial_state(self.spec))

    def update(self, **parameters: object) -> None:
        """Change live parameters at once; the kernel ramps. Thread: control, between blocks."""
        self._parameters = self._merged(parameters)
        if self._state is not None:
            self._state.settings[:] = self.settings(self.spec)

    def writes(self, **parameters: object) -> list[tuple[int, float]]:
        """Return what to write where for new parameter values; the engine does it between two blocks.

        Returns
        -------
        list of (address, value)
            Each a float64 to be stored at an address inside ``state.settings``.
        """
        self._parameters = self._merged(parameters)
        base, present = self.state.settings.ctypes.data, self.state.settings
        return [
            (base + 8 * index, value) for index, value in enumerate(self.settings(self.spec)) if value != present[index]
        ]
