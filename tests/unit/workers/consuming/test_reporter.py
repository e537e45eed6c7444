"""What a worker tells beside the answers to batches, from a thread that may wait for the broker."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.unit.reply_queue import SOON_SECONDS, ReplyQueue
from workers import control
from workers.celery import app
from workers.consuming.bounded_threads import WAITING_MAX
from workers.messages.refusals import RefusedError, SignatureError, refusals
from workers.messages.signing import SIGNATURE, UNSIGNED
from workers.worker import Worker


@pytest.mark.parametrize("report", [control.report_status, control.report_measures])
def test_a_report_that_cannot_be_sent_holds_nobody_up(
    report: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, broker_is_back = threading.Event(), threading.Event()

    def send(*_: Any) -> None:
        sending.set()
        broker_is_back.wait(SOON_SECONDS)

    monkeypatch.setattr(worker.consuming.sender, "send", send)
    started = monotonic()
    report(None, None, "replies", "1")

    assert monotonic() - started < SOON_SECONDS / 2
    assert sending.wait(SOON_SECONDS)
    before = refusals.count
    for _ in range(WAITING_MAX + 9):
        report(None, None, "replies", "1")
    assert refusals.count == before + 10
    broker_is_back.set()


def test_a_refused_batch_is_answered_as_a_failed_task(worker: Worker) -> None:
    with app.connection_for_read() as connection:
        replies = ReplyQueue(connection)
        worker.consuming.reporter.tell_refused(RefusedError("it is not signed"), replies.name, "7")
        ticket, body = replies.next()

    assert (ticket, body["task_id"], body["status"], body["worker"]) == ("7", "7", "FAILURE", worker.name)
    assert body["traceback"] == f"{worker.name} refused the message: it is not signed"


def test_a_stranger_is_not_answered_with_a_signature(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(worker.consuming.sender, "send", lambda *arguments: sent.append(arguments))

    worker.consuming.reporter.tell_refused(SignatureError("it is not signed"), "replies.1", "7")
    worker.consuming.reporter.tell_refused(RefusedError("it is compressed"), "replies.1", "7")

    wait_until(lambda: len(sent) == 2, SOON_SECONDS)
    assert {(headers or {}).get(SIGNATURE) for *_, headers in sent} == {UNSIGNED[SIGNATURE], None}
