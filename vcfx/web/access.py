"""Who may use the API: the names it is called by, the pages that may call it, and the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from typing import Final

from vcfx.errors import ControlError

#: A token that a person chooses is not shorter.
MIN_TOKEN_SIGNS: Final = 16
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?P<port>:[0-9]{1,5})?", re.ASCII)


def new_token() -> str:
    """Return a random token of 128 bits."""
    return secrets.token_urlsafe(16)


def is_loopback(host: str) -> bool:
    """Tell whether an address (or ``localhost``) can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Access:
    """What a request must show to be answered.

    Parameters
    ----------
    host
        The address that the server is bound to.
    port
        Its port; part of the cookie's name, because cookies do not know ports.
    token
        What a client must know; None where only this machine can reach the server.

    Raises
    ------
    ControlError
        If there is no token and `host` is not a loopback address, or the token is too short or not printable ASCII.
    """

    host: str = "127.0.0.1"
    port: int = 8723
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.token is None:
            if not is_loopback(self.host):
                raise ControlError(f"{self.host} can be reached from other machines and needs a token")
        elif len(self.token) < MIN_TOKEN_SIGNS or not re.fullmatch(r"[!-~]+", self.token):
            raise ControlError(f"the token must be at least {MIN_TOKEN_SIGNS} printable ASCII characters, no spaces")

    @property
    def cookie_name(self) -> str:
        """Name of the cookie that a browser holds instead of the token."""
        return f"vcfx_{self.port}"

    @property
    def cookie_value(self) -> str:
        """Value of that cookie: made from the token, which it does not give away, and the same after a restart."""
        return hmac.new((self.token or "").encode(), b"vcfx browser", hashlib.sha256).hexdigest()

    def answers_to(self, host_header: str) -> bool:
        """Tell whether a Host header names this server.

        A page elsewhere can point a name of its own at this machine (DNS rebinding), but then the browser sends that
        name. Plain addresses cannot be pointed elsewhere; the port may differ behind a tunnel.
        """
        match = _HOST.fullmatch(host_header.lower())
        if match is None:
            return False
        name = match["six"] or match["name"]
        if name in _LOOPBACK_NAMES or name == self.host.lower():
            return True
        if is_loopback(self.host):
            return False
        own = socket.gethostname().lower()
        return _is_address(name) or name in {own, own.split(".")[0] + ".local"}

    def trusts_origin(self, origin: str, host_header: str) -> bool:
        """Tell whether a page of this origin may call: only the server's own pages may."""
        return origin.lower() == f"http://{host_header.lower()}"

    def knows_token(self, offered: str) -> bool:
        """Compare an offered token with the true one; takes as long for near misses as for far ones."""
        return self.token is not None and hmac.compare_digest(_bytes(offered), _bytes(self.token))

    def knows_cookie(self, offered: str) -> bool:
        """Compare a cookie's value likewise."""
        return self.token is not None and hmac.compare_digest(_bytes(offered), _bytes(self.cookie_value))
