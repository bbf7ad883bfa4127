"""Listens for the hotkeys given as arguments and prints every message, until its input ends or the keyboard goes."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_surface import FakeSurface
from vcfx.control.hotkeys.binding import hotkeys_from_options
from vcfx.control.hotkeys.client import HotkeyClient
from vcfx.control.messages import Message, Outcome
from vcfx.errors import ControlError


class Told(FakeSurface):
    def submit(self, message: Message) -> Future[Outcome]:
        print(message, flush=True)
        return super().submit(message)


ended = threading.Event()


def wait_for_the_end() -> None:
    sys.stdin.read()
    ended.set()


threading.Thread(target=wait_for_the_end, daemon=True).start()
try:
    client = HotkeyClient(hotkeys_from_options(sys.argv[1:]), Told())
except ControlError as error:
    sys.exit(str(error))
with client:
    print("listening", flush=True)
    while not (ended.is_set() or client.problem):
        time.sleep(0.01)
    if client.problem:
        print(client.problem, flush=True)
