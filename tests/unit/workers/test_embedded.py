"""The worker in the gateway's process tells when it takes batches."""

from __future__ import annotations

from typing import Any

import pytest

from workers import embedded
from workers.embedded import EmbeddedWorker


def test_it_is_ready_when_celery_has_begun_to_take_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = EmbeddedWorker()
    seen: list[bool] = []

    class Controller:
        """Celery calls back, with the consumer, and does not send the signal that it sends in a worker's process."""

        def __init__(self, ready_callback: Any, **_: Any) -> None:
            self._ready_callback = ready_callback

        def start(self) -> None:
            seen.append(worker.wait_ready(0))
            self._ready_callback(object())
            seen.append(worker.wait_ready(0))

    monkeypatch.setattr(embedded, "WorkController", Controller)
    worker._run()

    assert seen == [False, True]
