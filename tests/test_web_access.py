"""Who the web server answers: names, origins, tokens, sizes and rates."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.errors import ControlError
from vcfx.web.access import Access, is_loopback, new_token
from vcfx.web.app import create_app
from vcfx.web.limits import Allowance, AllowanceByAddress, Limits

HOME = "http://127.0.0.1:8723"
LAN = "http://192.168.1.7:8723"
TOKEN = "a-token-of-22-signs-xy"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def client_of(access: Access, address: str = HOME, limits: Limits | None = None) -> TestClient:
    app = create_app(FakeSurface(), access, limits)
    return TestClient(app, base_url=address, client=("192.168.1.9", 50_000))


@pytest.fixture(scope="module")
def local() -> Iterator[TestClient]:
    with client_of(Access()) as client:
        yield client


@pytest.fixture(scope="module")
def shared_server() -> Iterator[TestClient]:
    """A server for the whole network, with a token, patient with wrong ones."""
    with client_of(Access("0.0.0.0", 8723, TOKEN), LAN, Limits(token_try_burst=1_000)) as client:
        yield client


@pytest.fixture
def shared(shared_server: TestClient) -> TestClient:
    shared_server.cookies.clear()
    return shared_server


def first_kind(client: TestClient, headers: dict[str, str]) -> str:
    """The kind of the first frame that a WebSocket gets."""
    kind = ""
    with (
        contextlib.suppress(CancelledError),  # the test client cancels the server's side when it leaves
        client.websocket_connect("/api/live", headers={"Host": client.base_url.netloc.decode(), **headers}) as socket,
    ):
        kind = socket.receive_json()["kind"]
    return kind


@pytest.mark.parametrize("host", ["127.0.0.1:8723", "localhost:8723", "LOCALHOST", "[::1]:8723", "127.0.0.1:9000"])
def test_a_loopback_server_answers_to_loopback_names(local: TestClient, host: str) -> None:
    assert local.get("/api/state", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8723", "127.0.0.1.evil.example", "localhost.evil.example:8723", "192.168.1.7:8723",
     "", "127.0.0.1:8723@evil.example", "[::1", "127.0.0.1:port", "localhost:8723 evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/state", "/page/index.html"])
def test_a_name_pointed_at_this_machine_is_refused(local: TestClient, host: str, path: str) -> None:
    answer = local.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "another server" in answer.json()["error"]


def test_a_rebound_name_is_refused_on_the_network_too(shared: TestClient) -> None:
    assert shared.get("/api/state", headers={**BEARER, "Host": "evil.example:8723"}).status_code == 403
    assert shared.get("/api/state", headers={**BEARER, "Host": "10.1.2.3:8723"}).status_code == 200


FOREIGN = [
    "http://evil.example",
    "null",
    "http://127.0.0.1:9999",
    "https://127.0.0.1:8723",
    "http://localhost:8723",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_origin_cannot_call(local: TestClient, origin: str) -> None:
    for answer in (
        local.post("/api/messages", json={"type": "mute"}, headers={"Origin": origin}),
        local.get("/api/state", headers={"Origin": origin}),
        local.options("/api/messages", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert answer.status_code == 403
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_origin_gets_no_socket(local: TestClient, origin: str) -> None:
    with pytest.raises((WebSocketDenialResponse, WebSocketDisconnect)) as refusal:  # noqa: SIM117
        with local.websocket_connect("/api/live", headers={"Origin": origin, "Host": "127.0.0.1:8723"}):
            pass
    if isinstance(refusal.value, WebSocketDenialResponse):
        assert refusal.value.status_code == 403


def test_the_servers_own_page_may_call(local: TestClient) -> None:
    own = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
    assert local.post("/api/messages", json={"type": "mute"}, headers=own).status_code == 200
    assert first_kind(local, {"Origin": HOME}) == "state"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_calls_cross_site_is_refused(local: TestClient, site: str) -> None:
    assert local.get("/api/state", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert local.get("/page/none.js", headers={"Sec-Fetch-Site": site}).status_code == 404  # a link to the page may be


@pytest.mark.parametrize(
    "content", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json"]
)
def test_a_web_form_cannot_post(local: TestClient, content: str) -> None:
    answer = local.post("/api/messages", content='{"type": "mute"}', headers={"Content-Type": content})
    assert answer.status_code == 403
    assert "X-Vcfx" in answer.json()["error"]
    assert local.post("/api/do/mute?on=true").status_code == 403
    assert local.post("/api/do/mute?on=true", headers={"X-Vcfx": "1"}).status_code == 200


def test_off_this_machine_nothing_is_told_without_the_token(shared: TestClient) -> None:
    for path in ("state", "meters", "catalogue", "about", "openapi.json", "live", "nothing"):
        answer = shared.get(f"/api/{path}")
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert shared.post("/api/messages", json={"type": "mute"}).status_code == 401
    with pytest.raises((WebSocketDenialResponse, WebSocketDisconnect)):  # noqa: SIM117
        with shared.websocket_connect("/api/live", headers={"Host": "192.168.1.7:8723"}):
            pass
    assert shared.get("/page/none.js").status_code == 404  # the page itself holds no secret: it asks for the token


def test_a_program_shows_the_token(shared: TestClient) -> None:
    assert shared.get("/api/state", headers=BEARER).status_code == 200
    assert shared.get("/api/state", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert first_kind(shared, BEARER) == "state"


@pytest.mark.parametrize("header", [f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN])
def test_anything_but_the_token_is_refused(shared: TestClient, header: str) -> None:
    assert shared.get("/api/state", headers={"Authorization": header}).status_code == 401


def test_a_page_exchanges_the_token_for_a_cookie(shared: TestClient) -> None:
    answer = shared.post("/api/session", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/api"} <= set(cookie.split("; "))
    assert shared.get("/api/state").status_code == 200
    assert shared.get("/api/state", headers={"Origin": "http://evil.example"}).status_code == 403


def test_without_a_token_there_is_nothing_to_exchange(local: TestClient) -> None:
    answer = local.post("/api/session", json={"token": "whatever"})
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{"token": "\ud800"}, {"token": 5}, {}, [], {"token": "x", "more": 1}])
def test_a_malformed_exchange_is_refused(shared: TestClient, body: Any) -> None:
    answer = shared.post("/api/session", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code in (401, 422)
    assert answer.json()["error"]


@pytest.mark.parametrize("way", ["header", "exchange"])
def test_guessing_is_slowed_down(way: str) -> None:
    with client_of(Access("0.0.0.0", 8723, TOKEN), LAN) as client:

        def offer(token: str) -> Any:
            if way == "header":
                return client.get("/api/state", headers={"Authorization": f"Bearer {token}"})
            return client.post("/api/session", json={"token": token})

        assert [offer(f"guess-number-{number:09}").status_code for number in range(7)] == [401] * 5 + [429] * 2
        answer = offer(TOKEN)  # not even looked at
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 5


def test_old_cookies_are_no_guesses(shared: TestClient) -> None:
    for _ in range(20):
        assert shared.get("/api/state", headers={"Cookie": "vcfx_8723=of-an-earlier-run"}).status_code == 401
    assert shared.post("/api/session", json={"token": TOKEN}).status_code == 204


def test_every_answer_keeps_browsers_strict(local: TestClient) -> None:
    for path in ("/", "/api/state", "/nothing", "/page/none.js"):
        headers = local.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        allowed = "'none'" if path.startswith("/api") else "'self'"
        assert policy.startswith(f"default-src {allowed};")
        assert "unsafe" not in policy
        assert "server" not in headers


def test_large_and_many_requests_are_refused() -> None:
    limits = Limits(body_bytes=100, requests_per_second=0.01, request_burst=4)
    with client_of(Access(), limits=limits) as client:
        own = {"Content-Type": "application/json"}
        assert client.post("/api/messages", content=b" " * 101, headers=own).status_code == 413
        parts = (b" " * 60 for _ in range(3))  # without a stated length
        assert client.post("/api/messages", content=parts, headers=own).status_code == 413
        assert client.post("/api/messages", content=b'{"type": "mute"}', headers=own).status_code == 200
        assert client.get("/api/about").status_code == 200
        answer = client.get("/api/about")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 1


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "%2e%2e%2fapp.py", "/etc/passwd", "%00",
                                  "js", "", ".", "js/../../app.py", "..\\app.py", "a" * 300])  # fmt: skip
def test_only_the_pages_files_are_given_out(local: TestClient, path: str) -> None:
    assert local.get(f"/page/{path}").status_code == 404


def test_a_server_for_others_needs_a_token() -> None:
    with pytest.raises(ControlError, match=r"192\.168\.1\.7 can be reached from other machines and needs a token"):
        Access("192.168.1.7", 8723, None)
    for token in ("short", "", "fifteen-signs-x", "with spaces in between", "ümlaut-ümlaut-ümlaut"):
        with pytest.raises(ControlError, match="at least 16 printable ASCII"):
            Access("127.0.0.1", 8723, token)
    assert len({new_token() for _ in range(100)}) == 100
    assert TOKEN not in repr(Access("127.0.0.1", 8723, TOKEN))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.7", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_allowance_comes_back_with_time() -> None:
    now = 0.0
    allowance = Allowance(2.0, 3, lambda: now)
    for _ in range(3):
        assert allowance.wait_seconds() == 0
        allowance.take()
    assert allowance.wait_seconds() == pytest.approx(0.5)
    now = 0.5
    assert allowance.wait_seconds() == 0
    now = 1_000.0
    waits = []
    for _ in range(4):
        waits.append(allowance.wait_seconds())
        allowance.take()
    assert waits == [0, 0, 0, pytest.approx(0.5)]


def test_allowances_of_many_addresses_take_bounded_memory() -> None:
    allowances = AllowanceByAddress(1.0, 1, lambda: 0.0)
    first = allowances.of("address 0")
    for number in range(AllowanceByAddress.MAX_ADDRESSES + 5):
        allowances.of(f"address {number}")
    assert allowances.of("address 0") is not first


def test_a_refused_request_reaches_nobody() -> None:
    surface = FakeSurface()
    with TestClient(create_app(surface), base_url=HOME) as client:
        client.post("/api/messages", json={"type": "panic"}, headers={"Origin": "http://evil.example"})
        client.post("/api/do/panic")
        assert surface.received == []
        client.post("/api/do/panic", headers={"X-Vcfx": "yes"})
        assert surface.received == [m.Panic()]
