"""Keeps a plugin's child process alive, with a second one in waiting that takes over when the first dies or stalls."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from vcfx.errors import PluginError
from vcfx_dsp.parameters import Value

from .link import LOAD_LIMIT_S, PluginLink, PluginTask

STALL_S: Final = 0.25
MAX_RESTARTS, RESTARTS_WITHIN_S = 5, 60.0
#: For how long a restart is told after it has gone well.
_TOLD_FOR_S: Final = 15.0
#: After this time no worker is in the middle of a link that was taken from it.
_LONGEST_WAIT_S: Final = 0.1


class PluginKeeper:
    """Makes the children, watches them, and swaps them. For files (``task.spec.waits``) there is just one child.

    Attributes
    ----------
    link
        The child that works at the moment, or None. The worker reads it.
    facts
        What the first child told: latency and state.
    restarts
        How often the second child had to take over.
    problem
        One sentence, empty while all is well.
    end_reason
        Why there is no child any more.

    Raises
    ------
    PluginError
        If the plugin cannot be loaded.
    """

    def __init__(self, task: PluginTask) -> None:
        self._task, self._is_live = task, not task.spec.waits
        self._state, self._values = task.state, dict(task.values)
        self.link: PluginLink | None = None
        self._spare: PluginLink | None = None
        self._spare_limit_s, self._spare_is_ready = 0.0, False
        self._ended: list[PluginLink] = []
        self._lock, self._closing, self._loaded = threading.Lock(), threading.Event(), threading.Event()
        self._failure: PluginError | None = None
        self._failed_s: deque[float] = deque(maxlen=MAX_RESTARTS)
        self.facts: dict[str, Any] = {}
        self.restarts, self.problem, self.end_reason = 0, "", "it is not running"
        self._told_until_s = float("inf")
        # The system ends a child with the thread that made it, so one thread makes them all, and stays.
        threading.Thread(target=self._keep, name=f"vcfx-plugin {task.plugin.name}", daemon=True).start()
        self._loaded.wait()
        if self._failure is not None:
            raise self._failure

    def set(self, values: Mapping[str, Value]) -> None:
        """Change parameters, by the plugin's names. Thread: control."""
        with self._lock:
            self._values.update(values)
            for link in (self.link, self._spare if self._spare_is_ready else None):
                if link is not None:
                    link.tell(values=dict(values))

    def close(self) -> None:
        """End the children; returns at once. Thread: any."""
        self._closing.set()

    def _keep(self) -> None:
        try:
            self.link = PluginLink(self._task)
            self.facts = self.link.wait_until_ready()
            self._state = base64.b64decode(self.facts["state"])
        except PluginError as error:
            self._failure, self.link = error, None
            self._closing.set()
        self._loaded.set()
        while not self._closing.is_set() and self._goes_on():
            pass
        for link in (self.link, self._spare):
            self._put_away(link)
        self.link = None
        time.sleep(_LONGEST_WAIT_S)
        self._bury()

    def _goes_on(self) -> bool:
        """Look after the children for a moment; False when there is nothing left to be done for them."""
        reason = self._trouble()
        if reason:
            self.end_reason = reason
            self._put_away(self._taken())
            self._failed_s.append(time.monotonic())
            if not self._is_live or self._fails_too_often(reason):
                return False
            self.problem = f"plugin '{self._task.plugin.name}' has failed and is being replaced: {reason}"
        if self._is_live:
            self._look_after_spare()
        if self.link is None and self._spare_is_ready:
            self._take_over()
        if time.monotonic() > self._told_until_s:
            self.problem, self._told_until_s = "", float("inf")
        return True

    def _take_over(self) -> None:
        self._bury()
        with self._lock:
            self.link, self._spare, self._spare_is_ready = self._spare, None, False
        self.restarts += 1
        times = "once" if self.restarts == 1 else f"{self.restarts} times"
        self.problem = f"plugin '{self._task.plugin.name}' had to be replaced {times}: {self.end_reason}"
        self._told_until_s = time.monotonic() + _TOLD_FOR_S

    def _trouble(self) -> str:
        """Listen to the child for a moment; return why it must be replaced, empty while all is well."""
        link = self.link
        if link is None:
            return ""
        try:
            facts = link.heard()
        except PluginError as error:
            return str(error)
        if facts is not None and "error" in facts:
            return f"it failed: {facts['error']}"
        if facts is not None and "state" in facts:
            self._keep_state(base64.b64decode(facts["state"]))
        if self._is_live and time.monotonic() - link.owed_since_s > STALL_S:
            return f"it did not answer for {STALL_S:g} s"
        return ""

    def _keep_state(self, state: bytes) -> None:
        is_new = state != self._state
        self._state = state
        if is_new and self._spare_is_ready and self._spare is not None:
            with self._lock:
                self._spare.tell(state=base64.b64encode(state).decode("ascii"), values=self._values)

    def _look_after_spare(self) -> None:
        try:
            if self._spare is None:
                self._spare_limit_s = time.monotonic() + LOAD_LIMIT_S
                self._spare = PluginLink(
                    PluginTask(self._task.plugin, self._task.spec, self._state, dict(self._values))
                )
            facts = self._spare.heard()
            if facts is not None and "error" in facts:
                raise PluginError(facts["error"])
            if facts is not None and not self._spare_is_ready:
                self._make_ready(self._spare)
            if not self._spare_is_ready and time.monotonic() > self._spare_limit_s:
                raise PluginError(f"it did not answer within {LOAD_LIMIT_S:g} s")
        except PluginError as error:
            self.problem = f"plugin '{self._task.plugin.name}' cannot be started again: {error}"
            self._put_away(self._spare)
            self._spare, self._spare_is_ready = None, False
            self._closing.wait(STALL_S)

    def _make_ready(self, spare: PluginLink) -> None:
        with self._lock:
            spare.tell(state=base64.b64encode(self._state).decode("ascii"), values=self._values)
            self._spare_is_ready = True

    def _fails_too_often(self, reason: str) -> bool:
        is_full = len(self._failed_s) == MAX_RESTARTS
        if not is_full or time.monotonic() - self._failed_s[0] > RESTARTS_WITHIN_S:
            return False
        name, often = self._task.plugin.name, f"{MAX_RESTARTS} times within {RESTARTS_WITHIN_S:g} s"
        self.problem = f"plugin '{name}' failed {often} and stays off until the preset is chosen again: {reason}"
        return True

    def _taken(self) -> PluginLink | None:
        """Take the link from the worker."""
        with self._lock:
            link, self.link = self.link, None
        return link

    def _put_away(self, link: PluginLink | None) -> None:
        if link is not None:
            link.end()
            self._ended.append(link)

    def _bury(self) -> None:
        """Close what ended; the worker has had its last wait on it."""
        for link in self._ended:
            with contextlib.suppress(OSError):
                link.bury()
        self._ended.clear()
