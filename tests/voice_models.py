"""Voices and tiny untrained networks for the tests of the neural voice."""

from __future__ import annotations

import math
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from vcfx_models.papers.consent import USES, Consent, format_time, new_consent_id
from vcfx_models.papers.issuing import issue
from vcfx_models.speaker_encoder import FILE_NAME
from vcfx_models.voice_file import Voice
from vcfx_models.voice_on_disk import save_bundle


def random_voice(name: str) -> Voice:
    """A voice that depends on its name alone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    embedding = rng.standard_normal(256)
    spectrum = np.concatenate([rng.normal(0.0, 0.5, 80), rng.uniform(0.3, 0.7, 80)])
    median_hz = float(rng.uniform(90.0, 250.0))
    unit = (embedding / np.linalg.norm(embedding)).astype(np.float32)
    return Voice(name, unit, spectrum.astype(np.float32), math.log(median_hz), 0.2, median_hz)


def consent_for_tests(**changes: object) -> Consent:
    """What somebody allowed a minute ago, for an hour and for everything; fields may be changed."""
    now = datetime.now(UTC)
    fields: dict[str, object] = {
        "consent_id": new_consent_id(),
        "speaker": "Somebody",
        "basis": "typed",
        "uses": USES,
        "purpose": "tests",
        "given_at": format_time(now - timedelta(minutes=1)),
        "until": format_time(now + timedelta(hours=1)),
        "statement": "You may use my voice in tests.",
    }
    return Consent.from_json(Consent(**(fields | changes)).to_json())  # type: ignore[arg-type]


def save_voice(voice: Voice, path: Path) -> None:
    """Enrol a voice in the installation that tests have for themselves."""
    save_bundle(issue(voice, consent_for_tests()), path)


def write_voice_model(folder: Path) -> Path:
    """Write a tiny untrained model, a speaker network and two voices, ``anna`` and ``bert``; returns the folder."""
    from tiny_networks import write_tiny_networks

    write_speaker_network(write_tiny_networks(folder))
    for name in ("anna", "bert"):
        save_voice(random_voice(name), folder / f"{name}.vcfxvoice")
    return folder


def write_speaker_network(folder: Path) -> Path:
    """Write a speaker network that tells voices by their mean log-mel spectrum; returns the folder."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(9).standard_normal((80, 256)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["log_mel", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weight"], ["raw"]),
        helper.make_node("LpNormalization", ["raw"], ["embedding"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "speaker",
        [helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, [1, "frames", 80])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 256])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / FILE_NAME)
    return folder
