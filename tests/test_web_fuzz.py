"""The web API takes whatever its own description allows, and much that it does not, without falling over."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from fake_surface import FakeSurface
from vcfx.control import wire
from vcfx.web.access import Access
from vcfx.web.app import create_app
from vcfx.web.limits import Limits

HEADERS = {"Host": "127.0.0.1:8723", "X-Vcfx": "1"}
#: No schema can say that text is printable, which is what the API asks of it.
LEFT_OUT = {"positive_data_acceptance"}
READ = ("about", "state", "meters", "catalogue")
ROUTES = [("GET", f"/api/{name}") for name in READ]
ROUTES += [("POST", path) for path in ("/api/session", "/api/messages", *(f"/api/do/{name}" for name in wire.TYPES))]
#: Those that only read take nothing that could be wrong.
CASES = [pytest.param(route, GenerationMode.POSITIVE, id=f"{route[1]}-valid") for route in ROUTES]
CASES += [pytest.param(route, GenerationMode.NEGATIVE, id=f"{route[1]}-invalid") for route in ROUTES[len(READ) :]]


@pytest.fixture(scope="module")
def schema() -> Any:
    limits = Limits(requests_per_second=1e6, request_burst=1_000_000)
    app = create_app(FakeSurface(), Access(), limits)
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HEADERS)


@pytest.fixture(scope="module")
def checks() -> list[Any]:
    load_all_checks()
    return [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]


def test_no_route_is_forgotten(schema: Any) -> None:
    described = {(result.ok().method.upper(), result.ok().path) for result in schema.get_all_operations()}
    assert described == set(ROUTES)


@pytest.mark.parametrize(("route", "mode"), CASES)
def test_a_route_keeps_to_the_description(
    schema: Any, checks: list[Any], route: tuple[str, str], mode: GenerationMode
) -> None:
    method, path = route

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=6, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, checks=checks)

    keeps()
