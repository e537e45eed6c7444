"""The OpenAPI document: it is valid, and everything that there is stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver

from gateway_site import urls
from inference.api_schema.fields import ref
from inference.api_schema.refusals import REFUSALS
from inference.http import responses
from inference.http.error_shape import says_error
from tests.unit.test_imports import run_without

#: What the server refuses before the application, and what a defect is answered.
OF_THE_SERVER = {400, 408, 414, 417, 431, 500, 501}
Operation = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    from inference.api_schema.generator import Generator

    made: dict[str, Any] = json.loads(json.dumps(Generator().get_schema(public=True)))
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, address in document["paths"].items():
        for method, operation in address.items():
            yield f"{method.upper()} {path}", operation


def resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer, also one that is said elsewhere."""
    if "$ref" not in answer:
        return answer
    shared: dict[str, Any] = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return shared


def views(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, Any]]:
    """Every address of the REST interface, as a document writes it, and its view."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)), pattern.callback.view_class  # type: ignore[attr-defined]


def test_spectacular_finds_nothing_wrong() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_every_address_and_method_is_there_and_no_other(document: dict[str, Any]) -> None:
    expected = set()
    for path, view in views(urls.urlpatterns):
        methods = [method.upper() for method in view.http_method_names if hasattr(view, method)]
        expected |= {f"{method} {path}" for method in methods if method != "OPTIONS"}

    assert {name for name, _ in operations(document)} == expected
    assert len(expected) == 47
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)


def test_every_status_of_an_error_is_there(document: dict[str, Any]) -> None:
    ours = set(responses.STATUS_OF.values()) | OF_THE_SERVER
    told = {int(status) for _, operation in operations(document) for status in operation["responses"]}

    assert ours <= told
    assert ours <= REFUSALS.keys()
    for name, operation in operations(document):
        assert {str(status) for status in OF_THE_SERVER} <= operation["responses"].keys(), name


def test_every_error_has_the_shape_of_all_others_of_its_protocol(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) < 400:
                continue
            (content,) = resolved(document, answer)["content"].values()
            shape = ref("Error" if says_error(name.partition(" ")[2]) else "Failure")
            assert shape in content["schema"].get("anyOf", [content["schema"]]), (name, status)


def test_everything_is_explained(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert all(parameter["description"] for parameter in operation.get("parameters", [])), name
        for status, answer in operation["responses"].items():
            assert resolved(document, answer)["description"], (name, status)
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for field, its in schema.get("properties", {}).items():
            assert "$ref" in its or its["description"], (name, field)
            assert "$ref" in its or {"type", "anyOf"} & its.keys(), (name, field)


def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    count = 0
    for name, operation in operations(document):
        bodies = [
            operation.get("requestBody", {}),
            *(resolved(document, each) for each in operation["responses"].values()),
        ]
        for content in (content for body in bodies for content in body.get("content", {}).values()):
            schema = {**content["schema"], "components": document["components"]}
            for example in content.get("examples", {}).values():
                jsonschema.Draft202012Validator(schema).validate(example["value"])
                count += 1
            if content is operation["responses"].get("200", {}).get("content", {}).get("application/json"):
                assert content["examples"], name
    assert count > 50


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("", "", "json"),
        ("", "*/*", "json"),
        ("", "application/json", "json"),
        ("", "application/vnd.oai.openapi+json,*/*;q=0.8", "json"),
        ("", "application/yaml", "yaml"),
        ("", "application/vnd.oai.openapi", "yaml"),
        ("?format=json", "application/yaml", "json"),
        ("?format=yaml", "", "yaml"),
    ],
)
def test_it_is_served_as_json_and_as_yaml(
    client: Client, document: dict[str, Any], query: str, accept: str, form: str
) -> None:
    answer = client.get(f"/api/schema{query}", headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.oai.openapi" + ("+json" if form == "json" else "")
    assert (json.loads if form == "json" else yaml.safe_load)(answer.content) == document


def test_another_format_is_refused(client: Client) -> None:
    answer = client.get("/api/schema?format=xml")

    assert (answer.status_code, answer.json()["message"]) == (400, "format must be json or yaml")


def test_the_page_names_no_other_host(client: Client) -> None:
    page = client.get("/api/docs")

    assert page.status_code == 200
    assert b"http:" not in page.content
    assert b"https:" not in page.content
    assert b'data-schema="/api/schema"' in page.content


def test_a_gateway_starts_without_it(tmp_path: Path) -> None:
    statement = (
        "import gateway_site.asgi, gateway_site.urls, sys; print(*[n for n in sys.modules if 'spectacular' in n])"
    )

    run = run_without(["yaml", "jsonschema", "uritemplate", "inflection"], statement, PIPELINE_DATA_DIR=str(tmp_path))

    assert run.returncode == 0, run.stderr
    django_needs = {"drf_spectacular", "drf_spectacular.apps", "drf_spectacular.checks"}
    assert set(run.stdout.split()) - django_needs <= {"drf_spectacular_sidecar", "drf_spectacular_sidecar.apps"}
