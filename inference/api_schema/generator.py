"""Makes the document: drf-spectacular's generator, with every description at hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from inference.api_schema import (  # noqa: F401 - importing them is what describes the views
    open_inference_operations,
    operations,
    responses,
    serving_operations,
)
from inference.api_schema.fields import ref
from inference.api_schema.open_inference_operations import WITHOUT_BODY_TOO
from inference.api_schema.operation import IN_ADDRESSES
from inference.api_schema.refusals import ERROR, REFUSALS
from inference.api_schema.schemas import SCHEMAS
from inference.api_schema.serving_schemas import SERVING_SCHEMAS


class Endpoints(EndpointEnumerator):
    """Those of the URLs, and HEAD where a view has its own answer to it."""

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """The methods to describe."""
        methods: list[str] = super().get_allowed_methods(callback)  # type: ignore[no-untyped-call]
        return [*methods, "HEAD"] if hasattr(callback.cls, "head") else methods


class Generator(SchemaGenerator):
    """As it is, but that the components are those of `schemas`, and that what many operations answer is said once."""

    endpoint_inspector_cls = Endpoints

    def parse(self, input_request: Any, public: bool) -> dict[str, Any]:
        """The operations by address and method. One of several addresses that a view has is called after what its
        address names beside the network.
        """
        paths: dict[str, Any] = super().parse(input_request, public)  # type: ignore[no-untyped-call]
        known: set[str] = set()
        for path, address in paths.items():
            for operation in address.values():
                if operation["operationId"] in known:
                    place = next((each for each in ("label", "number") if f"{{{each}}}" in path), "network")
                    operation["operationId"] += f"_of_{place}"
                known.add(operation["operationId"])
                for parameter in operation.get("parameters", []):
                    if parameter["in"] == "path" and "description" not in parameter:
                        field = IN_ADDRESSES[parameter["name"]]
                        parameter |= {"schema": field, "description": field["description"]}
        return paths

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        components = document["components"]
        components["schemas"] = dict(sorted({**SCHEMAS, **SERVING_SCHEMAS}.items()))
        shared: dict[str, Any] = {}
        components["responses"] = shared
        for address in document["paths"].values():
            for operation in address.values():
                if "requestBody" in operation:
                    operation["requestBody"]["required"] = operation["operationId"] not in WITHOUT_BODY_TOO
                _share(operation["responses"], shared)
        return document


def _share(answers: dict[str, Any], shared: dict[str, Any]) -> None:
    """Have refusals that say the same as another operation's point to it."""
    for status in answers.keys() & map(str, REFUSALS):
        name = HTTPStatus(int(status)).phrase.title().replace(" ", "").replace("-", "")
        if answers[status]["content"].get("application/json", {}).get("schema") == ref(ERROR):
            name += ERROR
        if shared.setdefault(name, answers[status]) == answers[status]:
            answers[status] = {"$ref": f"#/components/responses/{name}"}
