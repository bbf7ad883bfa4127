"""The exchange of a token for a cookie, so that a page need not keep the token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from .access import Access
from .guard import SESSION_PATH, refused
from .schemas import Problem, SessionRequest

ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words}
    for status, words in {
        400: "The request broke off",
        401: "A token is needed, or it is wrong",
        403: "The request comes from a page elsewhere, or names another server",
        408: "The body took too long",
        413: "The body is too large",
        422: "What is wrong with the request, in one sentence",
        429: "Too many requests or wrong tokens",
        503: "The voice changer has ended, or does not answer",
    }.items()
}


def session_route(access: Access, count_wrong_token: Callable[[str], None]) -> APIRouter:
    """Return the route; wrong tokens are counted by the caller's address."""
    router = APIRouter()

    @router.post(SESSION_PATH, status_code=204, responses=ANSWERS, summary="Exchange the token for a cookie")
    async def exchange(request: Request, offer: SessionRequest) -> Response:
        answer = Response(status_code=204)
        if access.token is None:
            return answer
        if not access.knows_token(offer.token):
            count_wrong_token(request.client.host if request.client else "")
            return refused(401, "the token is wrong")
        answer.set_cookie(access.cookie_name, access.cookie_value, httponly=True, samesite="strict", path="/api")
        return answer

    return router
