"""What the API's JSON looks like, made from the dataclasses of `vcfx.control`, for its OpenAPI description."""

from __future__ import annotations

import dataclasses
import typing
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from vcfx.control import wire
from vcfx.control.live_state import Catalogue, LiveState, Meters
from vcfx.control.messages import Applied, Refused

REFERENCE: Final = "#/components/schemas/{model}"
STATE: Final = TypeAdapter(LiveState)
METERS: Final = TypeAdapter(Meters)
CATALOGUE: Final = TypeAdapter(Catalogue)

_Text = Annotated[str, Field(max_length=wire.MAX_TEXT, description="Printable text.")]
_Number = Annotated[float, Field(gt=-1e12, lt=1e12)]
_Whole = Annotated[int, Field(gt=-(1 << 31), lt=1 << 31)]
_CHECKED: Final[dict[Any, Any]] = {str: _Text, float: _Number, int: _Whole}


class Problem(BaseModel):
    """Why a request was not carried out, in one sentence."""

    error: str


class About(BaseModel):
    """What answers here."""

    name: Literal["vcfx"]
    version: str


class SessionRequest(BaseModel):
    """The token that a page was opened with, to be exchanged for a cookie."""

    model_config = ConfigDict(extra="forbid")
    token: str = Field(max_length=wire.MAX_TEXT)


def _model(kind: type[Any], name: str, first: dict[str, Any], *, checked: bool) -> type[BaseModel]:
    """Return a pydantic model with the fields of a dataclass after `first`."""
    hints = typing.get_type_hints(kind)
    fields = dict(first)
    for field in dataclasses.fields(kind):
        hint = _bounded(hints[field.name]) if checked else hints[field.name]
        required = field.default is dataclasses.MISSING or not checked
        fields[field.name] = (hint, ...) if required else (hint, field.default)
    configuration = ConfigDict(extra="forbid", strict=True)
    model: type[BaseModel] = create_model(name, __config__=configuration, __doc__=kind.__doc__, **fields)
    return model


def _bounded(hint: Any) -> Any:
    """Return a type with the bounds that `vcfx.control.wire` checks."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal or not (arguments or hint in _CHECKED):
        return hint
    if arguments:
        return typing.Union[tuple(_bounded(argument) for argument in arguments)]  # noqa: UP007 - made from a tuple
    return _CHECKED[hint]


AppliedAnswer: Final = _model(Applied, "Applied", {"applied": (Literal[True], ...)}, checked=False)
RefusedAnswer: Final = _model(Refused, "Refused", {"applied": (Literal[False], ...)}, checked=False)


def field_models() -> dict[str, type[BaseModel]]:
    """Return a model of each message's fields by its type's name on the wire."""
    return {name: _model(kind, f"{kind.__name__}Fields", {}, checked=True) for name, kind in wire.TYPES.items()}


def message_models() -> dict[str, type[BaseModel]]:
    """Return a model of each whole message, with its ``type``."""
    return {
        name: _model(kind, kind.__name__, {"type": (Literal[name], ...)}, checked=True)
        for name, kind in wire.TYPES.items()
    }


def components() -> dict[str, Any]:
    """Return the schemas of all messages and of their union, as OpenAPI components."""
    found: dict[str, Any] = {}
    mapping: dict[str, str] = {}
    for name, model in message_models().items():
        found[model.__name__] = model.model_json_schema(ref_template=REFERENCE)
        mapping[name] = REFERENCE.format(model=model.__name__)
    for model in field_models().values():
        fields = model.model_json_schema(ref_template=REFERENCE)
        fields.pop("required", None)  # the query may hold them
        found[model.__name__] = fields
    options = [{"$ref": place} for place in mapping.values()]
    found["Message"] = {"oneOf": options, "discriminator": {"propertyName": "type", "mapping": mapping}}
    return found


def query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return a message's fields as OpenAPI query parameters, none of them required: the body may hold them."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return [
        {"name": name, "in": "query", "required": False, "schema": _query_schema(value)}
        for name, value in schema.get("properties", {}).items()
    ]


def _query_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema without what a query cannot say (null is the word left out)."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if not options:
        return {key: value for key, value in schema.items() if key != "default"}
    return options[0] if len(options) == 1 else {"anyOf": options}
