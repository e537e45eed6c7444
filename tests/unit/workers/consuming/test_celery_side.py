"""What Celery's classes find of the worker, and that it ends with it."""

from __future__ import annotations

from typing import NoReturn

import pytest

from workers.consuming.celery_side import celery_side
from workers.worker import Worker, set_worker


def test_it_is_that_of_the_process_s_worker(worker: Worker) -> None:
    assert celery_side() is worker.consuming
    assert celery_side().name == worker.name


def test_a_process_without_a_worker_says_so() -> None:
    set_worker(None)
    with pytest.raises(RuntimeError, match="celery -A workers worker"):
        celery_side()


def test_connections_are_renewed_together(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[str] = []
    monkeypatch.setattr(worker.consuming.sender, "renew", lambda: renewed.append("sender"))
    monkeypatch.setattr(worker.consuming.redelivery, "renew", lambda: renewed.append("redelivery"))

    worker.renew_connections()

    assert renewed == ["sender", "redelivery"]


def test_the_helper_processes_end_whatever_the_broker_does(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    def fail() -> NoReturn:
        raise OSError("the broker hangs")

    with monkeypatch.context() as patched:
        patched.setattr(worker.consuming, "stop", fail)
        patched.setattr(worker._reader, "stop", lambda: ended.append(True))
        with pytest.raises(OSError, match="hangs"):
            worker.stop()

    assert ended == [True]
