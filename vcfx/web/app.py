"""The web application: routes over a control surface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from vcfx import __version__
from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError

from . import schemas
from .access import Access
from .api_routes import api_routes
from .guard import Guard, refused
from .limits import Limits
from .live_feed import LiveFeed
from .live_socket import serve_live_socket
from .pages import page_file
from .session_route import session_route

DESCRIPTION = """Control of a running voice changer.

Messages say what is wanted, outcomes in which audio block it took effect. `WS /api/live` takes the same messages and
sends state and meters as they change. See `/api/state` for what there is and `/api/catalogue` for what can be chosen.
"""


def create_app(surface: ControlSurface, access: Access | None = None, limits: Limits | None = None) -> ASGIApp:
    """Return the whole web server's application.

    Parameters
    ----------
    surface
        What carries the messages out.
    access
        Who may call; by default anyone on this machine, at the default port.
    limits
        Sizes and rates.
    """
    access, limits = access or Access(), limits or Limits()
    feed = LiveFeed(surface)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with feed.watching():
            yield

    app = FastAPI(
        title="vcfx", version=__version__, description=DESCRIPTION, lifespan=lifespan, redirect_slashes=False,
        openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.add_exception_handler(HTTPException, _plain_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ControlError, _ended)
    guard = Guard(app, access, limits)
    app.include_router(api_routes(surface, feed, limits))
    app.include_router(session_route(access, guard.count_wrong_token))
    _add_live_socket(app, surface, feed, limits)
    _add_pages(app)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return guard


def _add_live_socket(app: FastAPI, surface: ControlSurface, feed: LiveFeed, limits: Limits) -> None:
    @app.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        await serve_live_socket(socket, surface, feed, limits)


def _add_pages(app: FastAPI) -> None:
    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return page_file(request, "index.html")

    @app.api_route("/page/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        return page_file(request, path)


async def _plain_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = refused(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _malformed(_request: Request, _error: Exception) -> Response:
    return refused(422, "the request does not have the form that the route takes")


async def _ended(_request: Request, error: Exception) -> Response:
    return refused(503, str(error))


def _description(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        known = made.setdefault("components", {}).setdefault("schemas", {})
        known.update(schemas.components())
        app.openapi_schema = made
    return app.openapi_schema
