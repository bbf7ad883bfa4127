"""State, meters, catalogue and messages over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vcfx import __version__
from vcfx.control import wire
from vcfx.control.live_state import Catalogue, LiveState, Meters
from vcfx.control.messages import Applied
from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError, nearest

from . import schemas
from .guard import refused
from .limits import Limits
from .live_feed import LiveFeed
from .query_fields import fields_from_query
from .session_route import ANSWERS

_OUTCOMES: dict[int | str, dict[str, Any]] = {
    **ANSWERS,
    200: {"model": schemas.AppliedAnswer, "description": "It has taken effect"},
    409: {"model": schemas.RefusedAnswer, "description": "It cannot be carried out; all goes on as before"},
    504: {"model": schemas.Problem, "description": "The voice changer has not answered in time"},
}
Answer = Callable[[Request], Awaitable[Response]]


def api_routes(surface: ControlSurface, feed: LiveFeed, limits: Limits) -> APIRouter:
    """Return the routes under ``/api``."""
    router = APIRouter(prefix="/api")
    _add_reading(router, feed)
    _add_messages(router, surface, limits)
    return router


def _add_reading(router: APIRouter, feed: LiveFeed) -> None:
    @router.get("/about", response_model=schemas.About, responses=_read(), summary="What answers here")
    async def about() -> Response:
        return JSONResponse({"name": "vcfx", "version": __version__})

    @router.get("/state", response_model=LiveState, responses=_read(), summary="Everything that messages change")
    async def state() -> Response:
        return _json(await feed.asked_state_json())

    @router.get("/meters", response_model=Meters, responses=_read(), summary="Levels and counters of this moment")
    async def meters() -> Response:
        return _json(await feed.meters_json(True))

    @router.get("/catalogue", response_model=Catalogue, responses=_read(), summary="What there is to choose from")
    async def catalogue() -> Response:
        return _json(await feed.catalogue_json())


def _add_messages(router: APIRouter, surface: ControlSurface, limits: Limits) -> None:
    async def any_message(request: Request) -> Response:
        return await _carry_out(surface, limits, lambda document: document, await request.body())

    reference = {"$ref": schemas.REFERENCE.format(model="Message")}
    router.add_api_route(
        "/messages", any_message, methods=["POST"], responses=_OUTCOMES, summary="Carry out a message",
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}},
    )  # fmt: skip
    for name, model in schemas.field_models().items():
        body = {"application/json": {"schema": {"$ref": schemas.REFERENCE.format(model=model.__name__)}}}
        router.add_api_route(
            f"/do/{name}", _one_message(name, surface, limits), methods=["POST"], responses=_OUTCOMES,
            summary=(wire.TYPES[name].__doc__ or name).splitlines()[0], operation_id=f"do_{name}",
            openapi_extra={"requestBody": {"required": False, "content": body},
                           "parameters": schemas.query_parameters(model)},
        )  # fmt: skip

    @router.post("/do/{name}", include_in_schema=False)
    async def unknown(name: str) -> Response:
        return refused(404, f"there is no message type {ascii(name)[:60]}{nearest(name, wire.TYPES)}")


def _one_message(name: str, surface: ControlSurface, limits: Limits) -> Answer:
    """Return the route of one type, whose fields come as a JSON body, as a query, or partly as each."""

    async def route(request: Request) -> Response:
        def with_query(body: Any) -> Any:
            if not isinstance(body, dict):
                raise ControlError(f"{name}: the body is a JSON object with the message's fields")
            query = fields_from_query(name, request.query_params.multi_items())
            for field in ("type", *query):
                if field in body:
                    raise ControlError(f"{name}: the field {ascii(field)[:60]} has no place in the body")
            return {**body, **query, "type": name}

        return await _carry_out(surface, limits, with_query, await request.body() or b"{}")

    return route


async def _carry_out(
    surface: ControlSurface, limits: Limits, complete: Callable[[Any], Any], body: bytes
) -> JSONResponse:
    try:
        message = wire.message_from_json(complete(parsed(body)))
    except ControlError as error:
        return refused(422, str(error))
    future = surface.submit(message)
    try:  # shielded: the surface's own future must not be cancelled
        outcome = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), limits.answer_seconds)
    except TimeoutError:
        return refused(504, f"the voice changer has not answered within {limits.answer_seconds:g} s")
    return JSONResponse(wire.outcome_to_json(outcome), 200 if isinstance(outcome, Applied) else 409)


def parsed(text: bytes | str) -> Any:
    """Return what a JSON text holds; raises ControlError if it is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, or a number of thousands of digits
        raise ControlError("the text is not JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def _read() -> dict[int | str, dict[str, Any]]:
    return {status: ANSWERS[status] for status in (400, 401, 403, 408, 413, 429, 503)}
