"""OSC: addresses to messages, answers, subscriptions, time tags, and whatever else arrives at a port."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.osc import live_client, server
from vcfx.control.osc.addresses import message_for
from vcfx.control.osc.packet import read_packet, write_bundles, write_message
from vcfx.control.osc.server import OscServer
from vcfx.errors import ControlError

pytestmark = pytest.mark.timeout(60)
LIMIT_S = 10.0


def packed(address: str, *arguments: Any) -> Any:
    """A message as another program would send it."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def bundled(time_s: float, *contents: Any) -> Any:
    builder = OscBundleBuilder(time_s)  # type: ignore[arg-type]
    for content in contents:
        builder.add_content(content)
    return builder.build()


class Tablet:
    """A client with a socket of its own."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(LIMIT_S)
        self._server = ("127.0.0.1", port)

    def send(self, address: str, *arguments: Any) -> None:
        self.raw(packed(address, *arguments).dgram)

    def raw(self, data: bytes) -> None:
        self.socket.sendto(data, self._server)

    def heard(self) -> list[tuple[str, list[Any]]]:
        """The messages of the next packet, as python-osc reads them."""
        data, _ = self.socket.recvfrom(65_536)
        return [(timed.message.address, timed.message.params) for timed in OscPacket(data).messages]

    def asked(self, address: str, *arguments: Any) -> tuple[str, list[Any]]:
        self.send(address, *arguments)
        (answer,) = self.heard()
        return answer


@pytest.fixture
def surface() -> FakeSurface:
    return FakeSurface()


@pytest.fixture
def osc(surface: FakeSurface) -> Iterator[OscServer]:
    with OscServer(surface, "127.0.0.1", 0) as opened:
        yield opened


@pytest.fixture
def tablet(osc: OscServer) -> Iterator[Tablet]:
    made = Tablet(osc.port)
    yield made
    made.socket.close()


@pytest.mark.parametrize(
    ("address", "arguments", "message"),
    [
        ("/vcfx/preset", ("deep",), m.SwitchPreset("deep")),
        ("/vcfx/preset/deep", (1.0,), m.SwitchPreset("deep")),
        ("/vcfx/preset/deep", (), m.SwitchPreset("deep")),
        ("/vcfx/preset/deep", (0.0,), None),
        ("/vcfx/voice", ("alder",), m.SwitchVoice("alder")),
        ("/vcfx/voice/alder", (1,), m.SwitchVoice("alder")),
        ("/vcfx/node/pitch/semitones", (-3,), m.SetParameter("pitch", "semitones", -3.0)),
        ("/vcfx/node/pitch/semitones", (0.25,), m.SetParameter("pitch", "semitones", 0.25)),
        ("/vcfx/node/low_cut/type", ("highpass",), m.SetParameter("low_cut", "type", "highpass")),
        ("/vcfx/node/a/on_ratio", (True,), m.SetParameter("a", "on_ratio", 1.0)),
        ("/vcfx/node/echo/bypass", (1,), m.BypassNode("echo", True)),
        ("/vcfx/node/echo/bypass", (), m.BypassNode("echo", None)),
        ("/vcfx/bypass", (), m.Bypass(None)),
        ("/vcfx/bypass", (0,), m.Bypass(False)),
        ("/vcfx/mute", (True,), m.Mute(True)),
        ("/vcfx/mute", (0.0,), m.Mute(False)),
        ("/vcfx/talk", (1.0,), m.PushToTalk(True)),
        ("/vcfx/talk", (0.0,), m.PushToTalk(False)),
        ("/vcfx/talk_mode", ("push",), m.TalkMode("push")),
        ("/vcfx/record", (), m.StartRecording()),
        ("/vcfx/record", ("both",), m.StartRecording("both")),
        ("/vcfx/record", (0,), m.StopRecording()),
        ("/vcfx/stop", (), m.StopRecording()),
        ("/vcfx/stop", (0,), None),
        ("/vcfx/panic", (1,), m.Panic()),
        ("/vcfx/panic", (0.0,), None),
        ("/vcfx/step", (), m.StepPreset(1)),
        ("/vcfx/step", (-2,), m.StepPreset(-2)),
        ("/vcfx/step", (2.0,), m.StepPreset(2)),
    ],
)
def test_addresses_stand_for_messages(address: str, arguments: tuple[Any, ...], message: m.Message | None) -> None:
    assert message_for(address, arguments) == message


@pytest.mark.parametrize(
    ("address", "arguments", "said"),
    [
        ("/vcfx/mutes", (), "did you mean 'mute'"),
        ("/other/mute", (), "there is no OSC address"),
        ("/vcfx//mute", (), "there is no OSC address"),
        ("/", (), "there is no OSC address"),
        ("/vcfx/*", (), "there is no OSC address"),
        ("/vcfx/preset", (), "takes one value, not 0"),
        ("/vcfx/preset", (3,), "preset is 3; allowed: text"),
        ("/vcfx/preset", ("x" * 2_000,), "allowed: text of at most 1000"),
        ("/vcfx/mute", ("on",), "allowed: 1, 0 or nothing"),
        ("/vcfx/mute", (1, 2), "takes one value, not 2"),
        ("/vcfx/talk", (), "held is None"),
        ("/vcfx/node/pitch/semitones", (float("nan"),), "value is nan"),
        ("/vcfx/node/pitch/semitones", (None,), "value is None"),
        ("/vcfx/step", (1.5,), "by is 1.5"),
        ("/vcfx/record", ("/etc/passwd",), "allowed: wet, dry, both"),
        ("/vcfx/talk_mode", ("loud",), "allowed: open, push"),
    ],
)
def test_what_stands_for_nothing_is_refused(address: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ControlError, match=said):
        message_for(address, arguments)


def test_outcomes_go_back_to_the_sender(tablet: Tablet, surface: FakeSurface) -> None:
    assert tablet.asked("/vcfx/preset", "robot") == ("/vcfx/applied", ["/vcfx/preset", 1, 1.0, ""])
    assert tablet.asked("/vcfx/preset", "missing") == (
        "/vcfx/refused",
        ["there is no preset 'missing'", "/vcfx/preset"],
    )
    address, (reason, of) = tablet.asked("/vcfx/mutes")
    assert (address, of) == ("/vcfx/refused", "/vcfx/mutes")
    assert "did you mean 'mute'" in reason
    assert surface.received == [m.SwitchPreset("robot"), m.SwitchPreset("missing")]


def test_answers_can_go_elsewhere(surface: FakeSurface) -> None:
    elsewhere = Tablet(9)
    with OscServer(surface, "127.0.0.1", 0, ("127.0.0.1", elsewhere.socket.getsockname()[1])) as osc:
        sender = Tablet(osc.port)
        sender.send("/vcfx/panic")
        assert elsewhere.heard() == [("/vcfx/applied", ["/vcfx/panic", 1, 1.0, ""])]
        sender.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            sender.heard()
        sender.socket.close()
    elsewhere.socket.close()


def test_bundles_apply_in_order(tablet: Tablet, surface: FakeSurface) -> None:
    long_ago = bundled(time.time() - 3_600, packed("/vcfx/preset", "deep"), packed("/vcfx/mute", 1))
    tablet.raw(bundled(IMMEDIATELY, packed("/vcfx/panic"), long_ago, packed("/vcfx/mute", 0)).dgram)
    for _ in range(4):
        assert tablet.heard()[0][0] == "/vcfx/applied"
    assert surface.received == [m.Panic(), m.SwitchPreset("deep"), m.Mute(True), m.Mute(False)]


def test_bundles_of_the_future_wait_for_it(tablet: Tablet, surface: FakeSurface) -> None:
    start_s = time.time()
    later = bundled(start_s + 0.4, packed("/vcfx/mute", 0))
    inner = bundled(start_s - 1, packed("/vcfx/panic"))
    tablet.raw(bundled(start_s + 0.2, packed("/vcfx/mute", 1), later, inner).dgram)
    assert tablet.asked("/vcfx/preset", "deep")[0] == "/vcfx/applied"
    assert surface.received == [m.SwitchPreset("deep")]
    tablet.heard(), tablet.heard()
    assert time.time() - start_s >= 0.2
    tablet.heard()
    assert time.time() - start_s >= 0.4
    assert surface.received[1:] == [m.Mute(True), m.Panic(), m.Mute(False)]


def test_the_far_future_is_refused(tablet: Tablet, surface: FakeSurface) -> None:
    tablet.raw(bundled(time.time() + 3_600, packed("/vcfx/mute")).dgram)
    ((address, arguments),) = tablet.heard()
    assert address == "/vcfx/refused"
    assert "more than 60 seconds ahead" in arguments[0]
    assert surface.received == []


def heard_until(tablet: Tablet, address: str) -> dict[str, list[Any]]:
    """Everything that comes until a message with this address does."""
    found: dict[str, list[Any]] = {}
    while address not in found:
        found |= dict(tablet.heard())
    return found


def test_subscribers_hear_state_in_the_addresses_that_set_it(tablet: Tablet, surface: FakeSurface) -> None:
    tablet.send("/vcfx/subscribe", 5, 0)
    first = heard_until(tablet, "/vcfx/node/echo/mix_ratio")
    assert first["/vcfx/subscribed"] == [5.0, 0.0]
    assert first["/vcfx/preset"] == ["deep"]
    assert first["/vcfx/node/pitch/semitones"] == [-4.0]
    assert first["/vcfx/node/echo/bypass"] == [1]
    surface.submit(m.Mute(True))
    assert tablet.heard() == [("/vcfx/mute", [1])]  # only what has changed
    tablet.send("/vcfx/unsubscribe")
    assert tablet.asked("/vcfx/mute", 0)[0] == "/vcfx/applied"
    tablet.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        tablet.heard()


def test_subscribers_hear_meters(tablet: Tablet) -> None:
    tablet.send("/vcfx/subscribe", 5, 50)
    start_s = time.monotonic()
    count = 0
    while count < 20:
        for address, values in tablet.heard():
            if address == "/vcfx/meters":
                assert values == pytest.approx([-12.0, -20.0, -9.0, -18.0, 0.02, 0])
                count += 1
    assert time.monotonic() - start_s > 0.3  # 50 a second, not as many as go


def test_a_lease_ends(tablet: Tablet) -> None:
    tablet.send("/vcfx/subscribe", 1, 60)
    start_s = time.monotonic()
    tablet.socket.settimeout(0.5)
    last_s = start_s
    with pytest.raises(TimeoutError):  # noqa: PT012 - the wait must be the last one
        while True:
            tablet.heard()
            last_s = time.monotonic()
    assert 0.5 < last_s - start_s < 5.0


@pytest.mark.parametrize("arguments", [(0,), (601,), (float("nan"),), ("long",), (5, 61), (5, 0.5), (5, 10, 1)])
def test_leases_have_limits(tablet: Tablet, arguments: tuple[Any, ...]) -> None:
    assert tablet.asked("/vcfx/subscribe", *arguments)[0] == "/vcfx/refused"


def test_so_many_may_subscribe(osc: OscServer) -> None:
    tablets = [Tablet(osc.port) for _ in range(server.MOST_SUBSCRIBERS + 1)]
    for one in tablets[:-1]:
        assert one.asked("/vcfx/subscribe", 5, 0)[0] == "/vcfx/subscribed"
    assert tablets[-1].asked("/vcfx/subscribe", 5, 0)[0] == "/vcfx/refused"
    for one in tablets:
        one.socket.close()


def test_messages_may_not_pile_up(tablet: Tablet, surface: FakeSurface) -> None:
    surface.submit = lambda message: Future()  # type: ignore[method-assign]
    tablet.raw(bundled(IMMEDIATELY, *[packed("/vcfx/panic")] * (server.MOST_PENDING + 1)).dgram)
    ((address, arguments),) = tablet.heard()
    assert address == "/vcfx/refused"
    assert arguments == [f"{server.MOST_PENDING} OSC messages wait already", "/vcfx/panic"]


def test_a_bundle_that_makes_readers_turn_for_ever(tablet: Tablet, osc: OscServer, surface: FakeSurface) -> None:
    head = b"#bundle\0" + struct.pack(">Q", 1)
    for size in (-4, -(1 << 31), 1 << 30, 5):
        tablet.raw(head + struct.pack(">i", size))
    nested = b""
    for _ in range(50):
        nested = head + struct.pack(">i", len(nested)) + nested
    tablet.raw(nested)
    tablet.raw(head + (struct.pack(">i", 8) + b"/a\0\0,\0\0\0") * 1_001)
    tablet.raw(packed("/vcfx/panic", *[1] * 17).dgram)
    tablet.raw(b"/vcfx/panic\0,[[[\0\0\0\0")
    tablet.raw(b"/vcfx/mute\0X,B\0\0")
    assert tablet.asked("/vcfx/mute") == ("/vcfx/applied", ["/vcfx/mute", 1, 1.0, ""])
    assert osc.passed_over == 9
    assert surface.received == [m.Mute()]


def test_random_bytes_never_hurt(
    tablet: Tablet, osc: OscServer, surface: FakeSurface, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(4)
    good = [packed("/vcfx/mute", 1).dgram, bundled(IMMEDIATELY, packed("/vcfx/node/a/b", 0.5, "x")).dgram]
    deafened = threading.Event()
    for number in range(2_000):
        data = bytearray(chance.choice(good) if number % 2 else chance.randbytes(chance.randrange(80)))
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        tablet.raw(bytes(data))
        if number % 100 == 0:
            deafened.wait(0.005)  # let the port keep up: a datagram that the kernel drops tests nothing
    tablet.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):  # noqa: PT012 - everything that was answered
        while True:
            tablet.heard()
    tablet.socket.settimeout(LIMIT_S)
    assert tablet.asked("/vcfx/panic")[0] == "/vcfx/applied"
    assert surface.received[-1] == m.Panic()
    assert osc.passed_over > 500
    assert caplog.records == []  # python-osc would write to the log, and so over the display


@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"#bundle\0" + bytes(7) + b"\1" + rest))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        requests = read_packet(data)
    except ControlError:
        return
    for request in requests:
        assert request.address.startswith("/")
        with contextlib.suppress(ControlError):
            assert isinstance(message_for(request.address, request.arguments), m.Message | None)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
values = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.integers(-(1 << 31) + 1, (1 << 31) - 1) | texts


@given(address=texts.map(lambda text: f"/{text}"), arguments=st.lists(values, max_size=8))
def test_what_is_written_can_be_read(address: str, arguments: list[Any]) -> None:
    (request,) = read_packet(write_message(address, *arguments))
    assert request.address == address
    assert list(request.arguments) == arguments


def test_big_states_go_in_several_packets() -> None:
    messages = [write_message(f"/vcfx/node/n{number}/gain_db", float(number)) for number in range(300)]
    packets = list(write_bundles(messages))
    assert max(map(len, packets)) <= 1_400
    read = [request for packet in packets for request in read_packet(packet)]
    assert [request.arguments for request in read] == [(float(number),) for number in range(300)]


def test_a_port_in_use_is_said(osc: OscServer, surface: FakeSurface) -> None:
    with pytest.raises(ControlError, match=rf"OSC port {osc.port} on 127.0.0.1 cannot be opened: Address already in"):
        OscServer(surface, "127.0.0.1", osc.port)
    with pytest.raises(ControlError, match="there is no host"):
        OscServer(surface, "no.such.host.invalid", 0)
    with pytest.raises(ControlError, match="there is no host"):
        OscServer(surface, "127.0.0.1", 0, ("no.such.host.invalid", 9))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--osc", "0"], "--osc: the port is '0'"),
        (["--osc", "70000"], "allowed: 1 to 65535"),
        (["--osc", "9000", "--osc-reply", "tablet"], "--osc-reply: the port is 'tablet'"),
        (["--osc-reply", "tablet:9001"], "--osc-reply needs --osc"),
    ],
)
def test_options_are_checked(arguments: list[str], said: str, surface: FakeSurface) -> None:
    parser = ArgumentParser()
    live_client.add_arguments(parser)
    with pytest.raises(ControlError, match=said):
        live_client.open_client(parser.parse_args(arguments), surface)


def test_it_listens_to_this_machine_only_unless_told(osc: OscServer, surface: FakeSurface) -> None:
    parser = ArgumentParser()
    live_client.add_arguments(parser)
    assert live_client.open_client(parser.parse_args([]), surface) is None
    port = osc.port
    osc.close()
    client = live_client.open_client(parser.parse_args(["--osc", str(port)]), surface)
    assert isinstance(client, OscServer)
    with client:
        assert client._socket.getsockname() == ("127.0.0.1", port)
