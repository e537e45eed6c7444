"""How one operation is described, and how a description gets to its view, which knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from inference.api_schema.about import TOKEN
from inference.api_schema.fields import NN_ID as NN_ID_FIELD
from inference.api_schema.fields import Schema, ref, text
from inference.api_schema.network_schemas import NAME_PATTERN
from inference.api_schema.network_schemas import VERSION as VERSION_FIELD
from inference.api_schema.refusals import FAILURE, GUARDED, refusals

HEADER: Final = "header"
PATH: Final = "path"
QUERY: Final = "query"
EVERYBODY = ""
Described = Callable[..., Any]


def in_path(name: str, field: Schema) -> OpenApiParameter:
    """A part of the address."""
    return OpenApiParameter(name, {**field}, PATH, required=True, description=field["description"])


#: What the parts of addresses are, by their names there.
NETWORK_FIELD = text(
    "A network's id, 32 lower-case hex digits, or its name", NN_ID_FIELD["examples"][0], pattern=NAME_PATTERN
)
IN_ADDRESSES: dict[str, Schema] = {
    "network": NETWORK_FIELD,
    "number": VERSION_FIELD,
    "label": text("What the network's users call one of its versions", "stable", pattern=NAME_PATTERN),
}
ONLY_FIRST = OpenApiParameter(
    "If-None-Match",
    {"type": "string", "enum": ["*"]},
    HEADER,
    description="Become active only while no network is; else 412, and nothing is replaced",
)
PAGE = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
        QUERY,
        description="How many to list",
    ),
    OpenApiParameter(
        "offset",
        {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
        QUERY,
        description="How many to leave out before",
    ),
]
REQUEST_ID = OpenApiParameter(
    "X-Request-ID", str, HEADER, response=True, required=True, description="Names this request in the logs"
)


def answer_header(name: str, description: str, statuses: list[int], schema: Schema | None = None) -> OpenApiParameter:
    """A header that the answers of these statuses have."""
    return OpenApiParameter(
        name, schema or {"type": "string"}, HEADER, description=description, response=list(statuses)
    )


def answer(component: str, description: str, **examples: Any) -> OpenApiResponse:
    """A JSON answer, with examples that were really answered."""
    return OpenApiResponse(ref(component), description, _examples(examples, response_only=True))


def request_examples(**examples: Any) -> list[OpenApiExample]:
    """Examples of a body."""
    return _examples(examples, request_only=True, media_type="application/json")


def _examples(examples: Mapping[str, Any], **only: Any) -> list[OpenApiExample]:
    return [OpenApiExample(name.replace("_", " "), value=value, **only) for name, value in examples.items()]


def operation(
    name: str,
    tag: str,
    summary: str,
    description: str,
    *,
    right: str,
    answers: Mapping[Any, Any],
    refused: tuple[int, ...] = (),
    messages: dict[int, str] | None = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    headers: tuple[OpenApiParameter, ...] = (),
    request: Any = None,
    examples: list[OpenApiExample] | None = None,
    shape: str = FAILURE,
) -> Described:
    """One method of one address. `right` is what a token needs for it, where tokens are required, and `shape` what an
    error is. Parts of the address need not be told.
    """
    refused_with = refusals(*refused, *(GUARDED if right else ()), messages=messages, shape=shape)
    needs = f"\n\nNeeds a token with the right `{right}`, where tokens are required." if right else ""
    said = [
        REQUEST_ID,
        answer_header("Allow", "The methods that there are", [405]),
        answer_header("Retry-After", "Seconds to wait before the next attempt", [429, 503], {"type": "string"}),
        *([answer_header("WWW-Authenticate", "How to say who asks", [401])] if right else []),
    ]
    return extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        description=description + needs,
        parameters=[*parameters, *said, *headers],
        request=request,
        responses={**answers, **{status: each for status, each in refused_with.items() if status not in answers}},
        auth=[{TOKEN: []}, {}] if right else [{}],  # type: ignore[list-item]  # what it takes beside names
        examples=examples or [],
    )


def describe(view: str, **operations: Described) -> None:
    """Have a view, named by its dotted path, described: each method by its operation."""

    def view_replacement(extension: OpenApiViewExtension) -> Any:
        target: Any = extension.target_class
        return extend_schema_view(**operations)(type(target.__name__, (target,), {}))

    type("Description", (OpenApiViewExtension,), {"target_class": view, "view_replacement": view_replacement})
