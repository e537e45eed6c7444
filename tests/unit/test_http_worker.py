"""What a thread that answers a request hands on to the connection's greenlet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.http.errors import ConfigurationProblem
from gunicorn.workers.base_async import AsyncWorker

from gateway_site.http_worker import HttpWorker
from gateway_site.silent_clients import ClientTimeoutError


@pytest.mark.parametrize(
    "error", [StopIteration(), ConnectionResetError(), ClientTimeoutError(), ConfigurationProblem("x"), ValueError()]
)
def test_whatever_ends_a_request_is_handed_on_and_printed_by_nobody(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(AsyncWorker, "handle_request", broken)
    worker, request = HttpWorker.__new__(HttpWorker), SimpleNamespace(method="GET", path="/healthz")

    assert worker._answer("", request, SimpleNamespace(has_ended=None), ("127.0.0.1", 1)) is error  # type: ignore[arg-type]
