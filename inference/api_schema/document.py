"""The document, made once a process."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from inference.api_schema.generator import Generator

RENDERERS = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}
#: The generator changes the views for a moment: one makes the document, and all others wait.
_lock = Lock()


def written(form: str) -> bytes:
    """The document as `json` or `yaml`."""
    with _lock:
        return _written(form)


@cache
def _written(form: str) -> bytes:
    written: bytes = RENDERERS[form]().render(_document(), renderer_context={})
    return written


@cache
def _document() -> dict[str, Any]:
    return Generator().get_schema(public=True)  # type: ignore[no-untyped-call]
