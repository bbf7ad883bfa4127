"""The web API's routes over a control surface without an engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control import wire
from vcfx.web.app import create_app

HOME = "http://127.0.0.1:8723"
CSRF = {"X-Vcfx": "1"}


@pytest.fixture(scope="module")
def surface() -> FakeSurface:
    return FakeSurface()


@pytest.fixture(scope="module")
def client(surface: FakeSurface) -> Iterator[TestClient]:
    with TestClient(create_app(surface), base_url=HOME, client=("127.0.0.1", 50_000)) as client:
        yield client


def test_state_meters_and_catalogue_are_there(client: TestClient, surface: FakeSurface) -> None:
    state = client.get("/api/state").json()
    assert state["revision"] == surface.state().revision
    assert [node["id"] for node in state["chain"]] == ["pitch", "low_cut", "echo"]
    assert state["chain"][1]["parameters"][0]["choices"] == ["lowpass", "highpass"]
    assert client.get("/api/meters").json()["output_peak_db"] == -9.0
    assert [entry["name"] for entry in client.get("/api/catalogue").json()["presets"]] == [
        "deep",
        "robot",
        "voice-call",
    ]
    assert client.get("/api/about").json()["name"] == "vcfx"


def test_a_message_is_carried_out(client: TestClient, surface: FakeSurface) -> None:
    answer = client.post("/api/messages", json={"type": "set_parameter", "node": "e", "parameter": "p", "value": 2})
    assert answer.status_code == 200
    assert answer.json() == {"applied": True, "block": len(surface.received), "waited_ms": 1.0, "note": ""}
    assert surface.received[-1] == m.SetParameter("e", "p", 2)


def test_a_refusal_is_409_with_its_reason(client: TestClient) -> None:
    answer = client.post("/api/messages", json={"type": "switch_preset", "preset": "missing"})
    assert answer.status_code == 409
    assert answer.json() == {"applied": False, "reason": "there is no preset 'missing'"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[" * 30_000, "not JSON"),
        ('{"type": "mute", "on": NaN}', "not JSON"),
        ("1" * 5_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("[]", "a message is a JSON object"),
        ('{"type": "mut"}', "there is no message type 'mut'"),
        ('{"type": "mute", "on": 1}', "mute: on is 1; allowed: true or false or null"),
        ('{"type": "set_parameter", "node": "a", "parameter": "b", "value": 1' + "0" * 400 + "}", "allowed"),
        ('{"type": "switch_preset", "preset": "\\ud800"}', "allowed"),
    ],
)
def test_what_is_no_message_is_422_with_a_sentence(client: TestClient, body: str | bytes, words: str) -> None:
    answer = client.post("/api/messages", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("address", "body", "message"),
    [
        ("mute", None, m.Mute(None)),
        ("mute?on=true", None, m.Mute(True)),
        ("mute?on=", None, m.Mute(None)),
        ("mute", {"on": False}, m.Mute(False)),
        ("step_preset?by=-1", None, m.StepPreset(-1)),
        ("switch_preset?preset=42", None, m.SwitchPreset("42")),
        ("set_parameter?node=pitch&parameter=semitones&value=-3.5", None, m.SetParameter("pitch", "semitones", -3.5)),
        ("set_parameter?value=high", {"node": "f", "parameter": "type"}, m.SetParameter("f", "type", "high")),
        ("use_devices?monitor=", None, m.UseDevices(None, None, "")),
        ("push_to_talk?held=on", None, m.PushToTalk(True)),
    ],
)
def test_a_button_can_send_any_message(
    client: TestClient, surface: FakeSurface, address: str, body: Any, message: m.Message
) -> None:
    answer = client.post(f"/api/do/{address}", json=body) if body else client.post(f"/api/do/{address}", headers=CSRF)
    assert answer.status_code == 200, answer.text
    assert surface.received[-1] == message


@pytest.mark.parametrize(
    ("address", "body", "words"),
    [
        ("mute?on=1&on=0", None, "given twice"),
        ("mute?on=perhaps", None, "mute: on is 'perhaps'"),
        ("mute?on=true", {"on": True}, "has no place in the body"),
        ("mute", {"type": "panic"}, "has no place in the body"),
        ("mute?volume=1", None, "unknown field 'volume'"),
        ("step_preset?by=1.5", None, "whole number"),
        ("set_parameter?node=a&parameter=b&value=1e999", None, "finite number"),
    ],
)
def test_a_wrong_button_is_told_why(client: TestClient, address: str, body: Any, words: str) -> None:
    answer = client.post(f"/api/do/{address}", json=body) if body else client.post(f"/api/do/{address}", headers=CSRF)
    assert answer.status_code == 422
    assert words in answer.json()["error"]


def test_an_unknown_button_is_404(client: TestClient) -> None:
    answer = client.post("/api/do/mut", headers=CSRF)
    assert answer.status_code == 404
    assert "did you mean 'mute'" in answer.json()["error"]


@given(st.sampled_from(sorted(wire.TYPES)), st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=3))
def test_any_query_is_answered(client: TestClient, name: str, query: dict[str, str]) -> None:
    answer = client.post(f"/api/do/{name}", params=query, headers=CSRF)
    assert answer.status_code in (200, 422)
    assert "error" in answer.json() or answer.json()["applied"]


def test_the_description_fits_the_messages(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    schemas = described["components"]["schemas"]
    assert set(schemas["Message"]["discriminator"]["mapping"]) == set(wire.TYPES)
    assert {path.removeprefix("/api/do/") for path in described["paths"] if path.startswith("/api/do/")} == set(
        wire.TYPES
    )
    assert schemas["SetParameter"]["required"] == ["type", "node", "parameter", "value"]
    assert {"revision", "chain", "muted"} <= set(schemas["LiveState"]["properties"])
    text = json.dumps(described)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)


def test_nothing_is_fetched_from_elsewhere(client: TestClient) -> None:
    assert client.get("/api/docs").status_code == 404
    assert client.get("/docs").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(client: TestClient, method: str) -> None:
    answer = client.request(method, "/api/state", headers=CSRF)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["error"]
