"""The converter's networks as ONNX graphs, written node by node from their weights.

Written by hand because the graph must keep three promises that exporters do not give: the names of the weights are
those of the torch modules (so that torch can be filled from a shipped graph), the matrices are stored as chosen, and
one row of a call never changes another (so that files and streams get the same numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper

from vcfx_models import geometry as grid
from vcfx_models.networks import decoder

Storage = Literal["float32", "float16", "int8", "int8_stored"]
Weights = Mapping[str, npt.NDArray[np.float32]]
OPSET, IR_VERSION = 18, 9
TAPS = 3
END = np.iinfo(np.int64).max
#: Weights keep within +-63 of int8's range: processors without VNNI add pairs of products in 16 bits.
LARGEST_WEIGHT = 63
LARGEST_STORED_WEIGHT = 127
LARGEST_ACTIVATION = 127
#: Activations are kept as unsigned numbers around this one, for which processors have the quick instructions.
MIDDLE = 128
QUIETEST_ROW = 1e-8


def quantised(
    matrix: npt.NDArray[np.float32], largest: int = LARGEST_WEIGHT
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return (inputs, outputs) weights as whole numbers up to `largest`, and for each output what one is worth."""
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / largest
    return np.round(matrix / scale).astype(np.int8), scale.astype(np.float32)


class GraphWriter:
    """Collects nodes and weights; each method adds one layer and returns the name of its result."""

    def __init__(self, weights: Weights, storage: Storage) -> None:
        self.weights, self.storage = weights, storage
        self.nodes: list[Any] = []
        self.initialisers: dict[str, Any] = {}

    def node(self, kind: str, *inputs: str, count: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or a list of `count` names."""
        names = [f"{kind.lower()}_{len(self.nodes)}_{index}" for index in range(count)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names if count > 1 else names[0]

    def rename(self, old: str, new: str) -> None:
        """Give the newest node's output its public name."""
        outputs = self.nodes[-1].output
        outputs[list(outputs).index(old)] = new

    def constant(self, name: str, values: Any, kind: type[np.generic] = np.float32) -> str:
        """Store values once under a name."""
        self.initialisers.setdefault(name, numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def whole(self, *values: int) -> str:
        """Store whole numbers."""
        return self.constant("whole_" + "_".join(map(str, values)), values, np.int64)

    def linear(self, frames: str, name: str) -> str:
        """Multiply by a matrix and add the bias of the torch layer `name`."""
        matrix = np.ascontiguousarray(self.weights[f"{name}.weight"].T)
        bias = self.constant(f"{name}.bias", self.weights[f"{name}.bias"])
        if self.storage == "int8":
            return str(self.node("Add", self._whole_number_product(frames, name, matrix), bias))
        return str(self.node("Add", self.node("MatMul", frames, self._stored(name, matrix)), bias))

    def _stored(self, name: str, matrix: npt.NDArray[np.float32]) -> str:
        """Store a matrix that the runtime unpacks to float32 when it loads the graph."""
        if self.storage == "float32":
            return self.constant(f"{name}.weight", matrix)
        if self.storage == "float16":
            small = self.constant(f"{name}.weight.float16", matrix, np.float16)
            return str(self.node("Cast", small, to=TensorProto.FLOAT))
        steps, scale = quantised(matrix, LARGEST_STORED_WEIGHT)
        small = self.node("Cast", self.constant(f"{name}.weight.int8", steps, np.int8), to=TensorProto.FLOAT)
        return str(self.node("Mul", small, self.constant(f"{name}.weight.scale", scale)))

    def _whole_number_product(self, frames: str, name: str, matrix: npt.NDArray[np.float32]) -> str:
        """Multiply in int8, each row by its own scale: a row's result depends on nothing but the row."""
        steps, scale = quantised(matrix)
        largest = self.node("ReduceMax", self.node("Abs", frames), self.whole(-1), keepdims=1)
        step = self.node(
            "Mul",
            self.node("Max", largest, self.constant("quietest_row", QUIETEST_ROW)),
            self.constant("activation_step", 1.0 / LARGEST_ACTIVATION),
        )
        rounded = self.node("Round", self.node("Div", frames, step))
        middle = self.constant("middle", MIDDLE)
        rows = self.node("Cast", self.node("Add", rounded, middle), to=TensorProto.UINT8)
        whole = self.constant(f"{name}.weight.int8", steps, np.int8)
        product = self.node("MatMulInteger", rows, whole, self.constant("middle_uint8", MIDDLE, np.uint8))
        scaled = self.node("Mul", self.node("Cast", product, to=TensorProto.FLOAT), step)
        return str(self.node("Mul", scaled, self.constant(f"{name}.weight.scale", scale)))

    def norm(self, frames: str, name: str) -> str:
        """Normalise each frame; scale and shift of the torch layer `name`."""
        scale = self.constant(f"{name}.weight", self.weights[f"{name}.weight"])
        shift = self.constant(f"{name}.bias", self.weights[f"{name}.bias"])
        return str(self.node("LayerNormalization", frames, scale, shift, axis=-1, epsilon=1e-5))

    def taps(self, frames: str, index: int, dilation: int) -> str:
        """Lay earlier frames, from input memory_`index`, beside the present ones; write next_memory_`index`."""
        past = (TAPS - 1) * dilation
        whole = self.node("Concat", f"memory_{index}", frames, axis=1)
        views = []
        for tap in range(TAPS):
            end = END if tap == TAPS - 1 else tap * dilation - past
            views.append(self.node("Slice", whole, self.whole(tap * dilation), self.whole(end), self.whole(1)))
        kept = self.node("Slice", whole, self.whole(-past), self.whole(END), self.whole(1))
        self.rename(kept, f"next_memory_{index}")
        return str(self.node("Concat", *views, axis=-1))

    def films(self, blocks: int) -> list[tuple[str, str]]:
        """Return scale and shift of each block, from the input films."""
        rows = self.node("Split", "films", count=blocks, axis=1, num_outputs=blocks) if blocks > 1 else ["films"]
        parts = [self.node("Split", row, count=2, axis=2, num_outputs=2) for row in rows]
        one = self.constant("one", 1.0)
        return [(str(self.node("Add", scale, one)), str(shift)) for scale, shift in parts]

    def stack(self, frames: str, dilations: Sequence[int], films: list[tuple[str, str]] | None = None) -> str:
        """Add `CausalStack`."""
        hidden = self.linear(self.taps(frames, 0, 1), "stack.entry")
        for index, dilation in enumerate(dilations):
            normal = self.norm(hidden, f"stack.blocks.{index}.norm")
            if films is not None:
                scale, shift = films[index]
                normal = self.node("Add", self.node("Mul", normal, scale), shift)
            mixed = self.linear(self.taps(normal, index + 1, dilation), f"stack.blocks.{index}.mix")
            value, gate = self.node("Split", mixed, count=2, axis=-1, num_outputs=2)
            hidden = self.node("Add", hidden, self.node("Mul", value, self.node("Sigmoid", gate)))
        return self.norm(hidden, "stack.exit")

    def model(self, name: str, inputs: Mapping[str, Sequence[Any]], outputs: Mapping[str, Sequence[Any]]) -> ModelProto:
        """Return the finished model; axes that are words may have any size."""
        ends = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, name, *ends, initializer=list(self.initialisers.values()))
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="vcfx")


def _memories(weights: Weights, dilations: Sequence[int], prefix: str = "") -> dict[str, list[Any]]:
    inputs = weights["stack.entry.weight"].shape[1] // TAPS
    channels = weights["stack.entry.weight"].shape[0]
    shapes = [(TAPS - 1, inputs), *(((TAPS - 1) * dilation, channels) for dilation in dilations)]
    return {f"{prefix}memory_{index}": ["batch", *shape] for index, shape in enumerate(shapes)}


def encoder_model(weights: Weights, dilations: Sequence[int], storage: Storage) -> ModelProto:
    """Return `ContentEncoder` as a graph: log_mel and memories to content and next memories."""
    graph = GraphWriter(weights, storage)
    centre = graph.constant("mel_centre", grid.MEL_CENTRE)
    spread = graph.constant("mel_spread", grid.MEL_SPREAD)
    hidden = graph.stack(graph.node("Div", graph.node("Sub", "log_mel", centre), spread), dilations)
    plain = graph.constant("plain_scale", np.ones(grid.CONTENT_SIZE))
    content = graph.node("LayerNormalization", graph.linear(hidden, "content"), plain, axis=-1, epsilon=1e-5)
    graph.rename(content, "content")
    inputs = {"log_mel": ["batch", "hops", grid.N_MELS]} | _memories(weights, dilations)
    outputs = {"content": ["batch", "hops", grid.CONTENT_SIZE]} | _memories(weights, dilations, "next_")
    return graph.model("content_encoder", inputs, outputs)


def decoder_model(weights: Weights, dilations: Sequence[int], storage: Storage) -> ModelProto:
    """Return `Decoder` as a graph: content, prosody, films and memories to envelopes and next memories."""
    graph = GraphWriter(weights, storage)
    subframes, flat = grid.SUBFRAMES, graph.whole(0, 0, decoder.PROSODY_SIZE)
    centre = np.repeat([decoder.F0_CENTRE, 0.0, 0.0, grid.MEL_CENTRE], subframes)
    spread = np.repeat([decoder.F0_SPREAD, 1.0, 1.0, grid.MEL_SPREAD], subframes)
    moved = graph.node("Sub", graph.node("Reshape", "prosody", flat), graph.constant("prosody_centre", centre))
    scaled = graph.node("Div", moved, graph.constant("prosody_spread", spread))
    frames = graph.node("Concat", "content", scaled, axis=-1)
    hidden = graph.stack(frames, dilations, graph.films(len(dilations)))
    bands = grid.HARMONIC_BANDS + grid.NOISE_BANDS
    shape = graph.node("Reshape", graph.linear(hidden, "envelopes"), graph.whole(0, -1, bands))
    energy = graph.node("Slice", "prosody", graph.whole(3), graph.whole(4), graph.whole(2))
    energy = graph.node("Reshape", energy, graph.whole(0, -1, 1))
    level = graph.node("Sub", energy, graph.constant("unit_noise_log_mel", decoder.UNIT_NOISE_LOG_MEL))
    whole = graph.node("Add", shape, graph.node("Mul", level, graph.constant("half", 0.5)))
    held = graph.node("Clip", whole, graph.constant("lowest_log", -14.0), graph.constant("highest_log", 6.0))
    sizes = graph.whole(grid.HARMONIC_BANDS, grid.NOISE_BANDS)
    for name, place in zip(graph.node("Split", held, sizes, count=2, axis=-1), ("harmonic", "noise"), strict=True):
        graph.rename(name, f"{place}_log")
    channels = weights["stack.entry.weight"].shape[0]
    inputs = {
        "content": ["batch", "hops", grid.CONTENT_SIZE],
        "prosody": ["batch", "hops", 4, subframes],
        "films": ["batch", len(dilations), 2 * channels],
    } | _memories(weights, dilations)
    outputs = {
        "harmonic_log": ["batch", "subframes", grid.HARMONIC_BANDS],
        "noise_log": ["batch", "subframes", grid.NOISE_BANDS],
    } | _memories(weights, dilations, "next_")
    return graph.model("decoder", inputs, outputs)


def colour_model(weights: Weights, blocks: int, storage: Storage) -> ModelProto:
    """Return the decoder's `VoiceColour` as a graph: voice to films."""
    graph = GraphWriter(weights, storage)
    hidden = "voice"
    for name in ("colour.inner.0", "colour.inner.2"):
        linear = graph.linear(hidden, name)
        hidden = graph.node("Mul", linear, graph.node("Sigmoid", linear))
    hidden = graph.linear(hidden, "colour.narrow")
    width = weights["colour.films.weight"].shape[0] // blocks
    films = graph.node("Reshape", graph.linear(hidden, "colour.films"), graph.whole(-1, blocks, width))
    graph.rename(films, "films")
    return graph.model("voice_colour", {"voice": ["batch", grid.VOICE_SIZE]}, {"films": ["batch", blocks, width]})
