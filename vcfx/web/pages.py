"""The panel's files: exactly those in its folder, checked again with every request."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from .guard import refused

PAGE_FOLDER: Final = Path(__file__).with_name("page")
CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", re.ASCII)


def page_file(request: Request, path: str, folder: Path = PAGE_FOLDER) -> Response:
    """Return a file of the panel, or that there is none of this name."""
    parts = path.split("/")
    place = folder.joinpath(*parts) if all(map(_PART.fullmatch, parts)) else None
    if place is None or place.suffix not in CONTENT_TYPES or not _is_inside(place, folder):
        return refused(404, "there is no such file")
    try:
        content = place.read_bytes()
    except OSError:
        return refused(404, "there is no such file")
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Type": CONTENT_TYPES[place.suffix]}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)


def _is_inside(place: Path, folder: Path) -> bool:
    """Tell whether a file is in the folder for all its links."""
    try:
        return place.is_file() and place.resolve().is_relative_to(folder.resolve())
    except OSError:
        return False
