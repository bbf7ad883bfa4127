"""Stage 4: what is being said, frame by frame, as the speaker-free features of Kokoro's text encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.progress import track

from .corpus_files import Clip, CorpusError, save_array, write_clips, write_whole
from .corpus_sources import PAIR_SIDES, pair_records, read_records

FRAME_FEATURES: Final = "/encoder/MatMul_1_output_0"
FEATURES: Final = 512
PCA_COMPONENTS: Final = 128
PCA_FRAMES: Final = 100_000
EDGE_TOKEN: Final = 0


@dataclass(frozen=True, slots=True)
class Utterance:
    """Tokens, begin and end included, the token of each 25 ms frame, and the clips that say it so."""

    tokens: npt.NDArray[np.int64]
    token_of_frame: npt.NDArray[np.int64]
    clips: tuple[int, ...]


class TextEncoder:
    """The part of Kokoro's encoder that turns tokens into features, cut out of the whole graph.

    Parameters
    ----------
    encoder
        ONNX file whose node of output `FRAME_FEATURES` multiplies the features by the alignment.

    Notes
    -----
    The part is fed with the tokens alone: neither the style nor the speed can reach it.
    """

    def __init__(self, encoder: Path) -> None:
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(_text_part(encoder), providers=["CPUExecutionProvider"])

    def features(self, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the features of each token, shape (tokens, 512)."""
        found: npt.NDArray[np.float32] = self._session.run(None, {"tokens": tokens[None]})[0][0]
        return found.T


def _text_part(encoder: Path) -> bytes:
    """Return the graph that leads from the tokens to the first factor of the frame features."""
    import onnx

    if not encoder.is_file():
        raise CorpusError(f"{encoder} is missing")
    model = onnx.load(encoder)
    products = [node for node in model.graph.node if FRAME_FEATURES in node.output]
    if not products:
        raise CorpusError(f"{encoder} has no output {FRAME_FEATURES}")
    wanted = products[0].input[0]
    needed, kept = {wanted}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    graph = onnx.helper.make_graph(
        kept[::-1],
        "text",
        [i for i in model.graph.input if i.name in needed],
        [onnx.helper.make_tensor_value_info(wanted, onnx.TensorProto.FLOAT, None)],
        [t for t in model.graph.initializer if t.name in needed],
    )
    part = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return bytes(part.SerializeToString())


def find_utterances(clips: list[Clip], data: Path, pair_folders: list[Path]) -> list[Utterance]:
    """Return the utterances of known timing whose clips are in the corpus."""
    number_of = {clip.source: clip.clip for clip in clips}
    found = []
    for set_name, record in pair_records(data, pair_folders):
        sides = [number_of.get(f"{set_name}/{record['id']}_{side}") for side in PAIR_SIDES]
        durations = np.array(record["durations"])
        if None not in sides:  # a pair made after the audio was collected
            frame_tokens = np.repeat(np.arange(durations.size), durations)
            found.append(
                Utterance(_with_edges(record["tokens"]), frame_tokens, tuple(s for s in sides if s is not None))
            )
    for record in read_records(data / "real_pairs" / "meta.jsonl"):
        frame_tokens = np.array(record["token_of_frame_40fps"])
        numbers = (number_of[record["path"]], number_of[f"real_pairs/{record['path']}"])
        found.append(Utterance(_with_edges(record["tokens"]), frame_tokens, numbers))
    return found


def _with_edges(tokens: list[int]) -> npt.NDArray[np.int64]:
    return np.array([EDGE_TOKEN, *tokens, EDGE_TOKEN], np.int64)


def make_content(folder: Path, clips: list[Clip], data: Path, pair_folders: list[Path], encoder: Path) -> float:
    """Write content/ and its columns; return the variance that the PCA explains.

    Clips of one utterance share their frames. token_of_frame.npy holds rows of token_features.npy and token_id.npy.
    """
    (folder / "content").mkdir(exist_ok=True)
    text_encoder, utterances = TextEncoder(encoder), find_utterances(clips, data, pair_folders)
    tables, ids, frame_rows = [], [], []
    first_row = first_frame = 0
    for spoken in track(utterances, "content"):
        if spoken.token_of_frame.max() >= spoken.tokens.size:
            raise CorpusError(
                f"clip {spoken.clips[0]} has a frame of token {spoken.token_of_frame.max()}, beyond its end"
            )
        tables.append(text_encoder.features(spoken.tokens).astype(np.float16))
        ids.append(spoken.tokens.astype(np.int16))
        frame_rows.append((first_row + spoken.token_of_frame).astype(np.int32))
        for number in spoken.clips:
            clips[number].content_start, clips[number].content_frames = first_frame, spoken.token_of_frame.size
        first_row += spoken.tokens.size
        first_frame += spoken.token_of_frame.size
    features, token_id, token_of_frame = np.concatenate(tables), np.concatenate(ids), np.concatenate(frame_rows)
    save_array(folder / "content" / "token_features.npy", features)
    save_array(folder / "content" / "token_id.npy", token_id)
    write_clips(folder, clips)
    explained = save_pca(
        folder / "content" / "pca.npz", features, token_of_frame[token_id[token_of_frame] != EDGE_TOKEN]
    )
    save_array(folder / "content" / "token_of_frame.npy", token_of_frame)
    return explained


def save_pca(path: Path, features: npt.NDArray[np.float16], rows: npt.NDArray[np.int32]) -> float:
    """Fit on random frames; (features - mean) @ components.T / scale has unit variance."""
    drawn = np.random.default_rng(0).choice(rows, min(PCA_FRAMES, rows.size), replace=False)
    sample = features[drawn].astype(np.float64)
    mean = sample.mean(axis=0)
    variance, vectors = np.linalg.eigh(np.cov(sample - mean, rowvar=False))
    order = np.argsort(variance)[::-1][:PCA_COMPONENTS]
    kept = {
        "mean": mean.astype(np.float32),
        "components": vectors[:, order].T.astype(np.float32),
        "scale": np.sqrt(variance[order]).astype(np.float32),
    }

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez(file, **kept)

    write_whole(path, write)
    return float(variance[order].sum() / variance.sum())
