"""The door of the web server: looks at every request before the application does."""

from __future__ import annotations

import asyncio
import math
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import Access
from .limits import AllowanceByAddress, Limits

#: A program's way to say that its POST is no web form, where it sends no JSON.
OWN_HEADER: Final = "x-vcfx"
SESSION_PATH: Final = "/api/session"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what comes from elsewhere, without a token where one is needed, too large or too often.

    Parameters
    ----------
    app
        The application behind the door.
    access
        Names, origins and the token.
    limits
        Sizes and rates.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._requests = AllowanceByAddress(limits.requests_per_second, limits.request_burst)
        self._tries = AllowanceByAddress(limits.token_tries_per_second, limits.token_try_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or hand the request on with its whole body."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded_send = _with_headers(send, headers.get("host", ""), scope["path"])
        refusal = self._refusal(scope, headers)
        if refusal is None and scope["type"] == "http":
            body = await self._body(receive, headers)
            if isinstance(body, JSONResponse):
                refusal = body
            else:
                receive = _replay(body, receive)
        if refusal is None:
            await self._app(scope, receive, guarded_send)
        else:
            await refusal(scope, receive, guarded_send)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        address = scope["client"][0] if scope.get("client") else ""
        allowance = self._requests.of(address)
        if wait_seconds := allowance.wait_seconds():
            return refused(429, "too many requests", retry_seconds=wait_seconds)
        allowance.take()
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._access.answers_to(hosts[0]):
            return refused(403, "the Host header names another server than this one")
        if elsewhere := self._from_elsewhere(scope, headers, hosts[0]):
            return refused(403, elsewhere)
        if not scope["path"].startswith("/api/") or self._access.token is None or scope["path"] == SESSION_PATH:
            return self._too_many_tries(address) if scope["path"] == SESSION_PATH else None
        return self._token_refusal(headers, address)

    def _from_elsewhere(self, scope: Scope, headers: Headers, host: str) -> str:
        """Return why a request may be another web page's doing; empty if it cannot."""
        origins = headers.getlist("origin")
        if any(not self._access.trusts_origin(origin, host) for origin in origins):
            return "pages of another origin may not call this server"
        site = headers.get("sec-fetch-site", "none")
        if scope["path"].startswith("/api/") and site not in ("none", "same-origin"):
            return "pages of another site may not call this server"
        if scope["type"] == "websocket" or scope["method"] in _SAFE or OWN_HEADER in headers:
            return ""
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return (
                "a POST needs 'Content-Type: application/json' or the header 'X-Vcfx: 1', which web forms cannot send"
            )
        return ""

    def _token_refusal(self, headers: Headers, address: str) -> JSONResponse | None:
        if refusal := self._too_many_tries(address):
            return refusal
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not offered:
            # a cookie of an earlier run is no try: it may come from every open page, and is too long to be guessed
            known = self._access.knows_cookie(_cookie(headers, self._access.cookie_name))
            return None if known else refused(401, "a token is needed: 'Authorization: Bearer TOKEN'")
        if self._access.knows_token(offered.strip()):
            return None
        self.count_wrong_token(address)
        return refused(401, "the token is wrong")

    def _too_many_tries(self, address: str) -> JSONResponse | None:
        if wait_seconds := self._tries.of(address).wait_seconds():
            return refused(429, "too many wrong tokens", retry_seconds=wait_seconds)
        return None

    def count_wrong_token(self, address: str) -> None:
        """Count a wrong token that the session route was given."""
        self._tries.of(address).take()

    async def _body(self, receive: Receive, headers: Headers) -> bytes | JSONResponse:
        too_large = refused(413, f"the body is too large; allowed: {self._limits.body_bytes} bytes")
        stated = headers.get("content-length", "0")
        if not stated.isdecimal() or int(stated[:20]) > self._limits.body_bytes:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return refused(400, "the request broke off")
                    body += message.get("body", b"")
                    if len(body) > self._limits.body_bytes:
                        return too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            return refused(408, f"the body took longer than {self._limits.body_seconds:g} s")


def refused(status: int, sentence: str, *, retry_seconds: float | None = None) -> JSONResponse:
    """Return the answer to a request that is not carried out."""
    headers = {}
    if retry_seconds is not None:
        headers["Retry-After"] = str(math.ceil(retry_seconds))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": sentence}, status, headers)


def _cookie(headers: Headers, name: str) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, then what else comes (the end of the connection)."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _with_headers(send: Send, host: str, path: str) -> Send:
    """Return a `send` that tells browsers to let nothing foreign in and nothing out."""
    if path.startswith("/api/"):
        policy = "default-src 'none'; frame-ancestors 'none'"
    else:  # some browsers do not take 'self' to allow WebSockets; the host was checked, or the answer is a refusal
        live = f" ws://{host}" if host.isascii() and host.isprintable() and not set(host) & set(" ;,'\"") else ""
        policy = f"default-src 'self'; connect-src 'self'{live}; img-src 'self' data:; object-src 'none'; "
        policy += "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    added = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
    if path.startswith("/api/"):
        added["cache-control"] = "no-store"
    lines = [(name.encode(), value.encode("latin-1")) for name, value in added.items()]

    async def sending(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message = {**message, "headers": [*message.get("headers", []), *lines]}
        await send(message)

    return sending
