"""Makes the document: drf-spectacular's generator, with every description at hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from inference.api_schema import operations, responses  # noqa: F401 - importing them is what describes the views
from inference.api_schema.refusals import REFUSALS
from inference.api_schema.schemas import SCHEMAS


class Endpoints(EndpointEnumerator):
    """Those of the URLs, and HEAD where a view has its own answer to it."""

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """The methods to describe."""
        methods: list[str] = super().get_allowed_methods(callback)  # type: ignore[no-untyped-call]
        return [*methods, "HEAD"] if hasattr(callback.cls, "head") else methods


class Generator(SchemaGenerator):
    """As it is, but that the components are those of `schemas`, and that what many operations answer is said once."""

    endpoint_inspector_cls = Endpoints

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        components = document["components"]
        components["schemas"] = dict(sorted(SCHEMAS.items()))
        shared: dict[str, Any] = {}
        components["responses"] = shared
        for address in document["paths"].values():
            for operation in address.values():
                if "requestBody" in operation:
                    operation["requestBody"]["required"] = True
                _share(operation["responses"], shared)
        return document


def _share(answers: dict[str, Any], shared: dict[str, Any]) -> None:
    """Have refusals that say the same as another operation's point to it."""
    for status in answers.keys() & map(str, REFUSALS):
        name = HTTPStatus(int(status)).phrase.title().replace(" ", "").replace("-", "")
        if shared.setdefault(name, answers[status]) == answers[status]:
            answers[status] = {"$ref": f"#/components/responses/{name}"}
