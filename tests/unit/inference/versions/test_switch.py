"""A weight change from the upload to the switch: every worker loads it, or nobody serves it."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.db import OperationalError

from inference.errors import (
    BrokerUnavailableError,
    ConflictError,
    InferenceError,
    NotFoundError,
    NoWorkersError,
)
from inference.gateway import gateway as this_gateway
from inference.models import Activation, DefaultNetwork, Version
from inference.versions import services
from inference.versions.asking import Answers
from tests.unit.inference.versions.switching import MORE_WEIGHTS, latest, upload
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, active_number, failed, loaded

pytestmark = pytest.mark.django_db


def test_what_all_workers_have_loaded_is_active(served: PretendedGateway) -> None:
    result = upload(MORE_WEIGHTS)

    assert result.loaded
    assert [report.worker for report in result.reports] == ["w1", "w2"]
    assert active_number() == result.activation.version.number == 2
    assert DefaultNetwork.objects.get().network_id == NN_ID
    assert Version.objects.get(number=2).state == Version.State.LOADED


def test_the_workers_are_asked_for_exactly_this_version(served: PretendedGateway) -> None:
    result = upload(MORE_WEIGHTS)

    assert served.fleet.loads[-1] == result.activation.version.ref()


def test_what_one_worker_could_not_load_changes_nothing(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([loaded("w1"), failed("w2", "Traceback\nWeightsError: NaN")], 0)

    result = upload(MORE_WEIGHTS, OTHER_NN_ID)

    assert not result.loaded
    assert active_number(OTHER_NN_ID) is None
    assert active_number() == 1
    assert DefaultNetwork.objects.get().network_id == NN_ID
    stored = Version.objects.get(network_id=OTHER_NN_ID)
    assert stored.state == Version.State.FAILED
    assert (latest().outcome, latest().detail) == (Activation.Outcome.FAILED, "w2: WeightsError: NaN")
    assert list(latest().reports.values_list("worker", "loaded", "trace")) == [
        ("w1", True, ""),
        ("w2", False, "Traceback\nWeightsError: NaN"),
    ]


def test_reports_are_shown_while_others_are_waited_for(
    served: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    served.fleet.early = [([loaded("w1")], 2), ([loaded("w2")], 2)]
    note_reports = services.note_reports

    def look(*arguments: Any) -> None:
        note_reports(*arguments)
        running = latest()
        seen.append((running.outcome, running.workers_asked, running.workers_answered, running.reports.count()))

    monkeypatch.setattr(services, "note_reports", look)

    upload(MORE_WEIGHTS)

    assert seen == [("running", 2, 1, 1), ("running", 2, 2, 2)]
    assert list(latest().reports.values_list("worker", flat=True)) == ["w1", "w2"]
    assert (latest().workers_asked, latest().workers_answered) == (2, 2)


def test_a_database_that_takes_no_early_reports_takes_them_in_the_end(
    served: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OperationalError("locked")

    served.fleet.early = [([loaded("w1")], 2)]
    monkeypatch.setattr(services, "note_reports", refuse)

    assert upload(MORE_WEIGHTS).loaded
    assert latest().reports.count() == 2


def test_a_trace_may_quote_characters_that_no_database_holds(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([failed("w1", "Traceback\nWeightsError: no layer \ud800\0")], 0)

    result = upload(MORE_WEIGHTS)

    assert not result.loaded
    assert latest().detail == r"w1: WeightsError: no layer \ud800\x00"
    assert latest().reports.get().trace == "Traceback\nWeightsError: no layer \\ud800\\x00"


def test_a_silent_worker_counts_as_failed(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([loaded("w1")], 2)

    result = upload(MORE_WEIGHTS)

    assert not result.loaded
    assert [report.loaded for report in result.reports] == [True, False, False]
    assert "did not report within" in result.reports[1].trace
    assert active_number() == 1
    assert latest().reports.filter(loaded=False).count() == 2
    assert (latest().workers_asked, latest().workers_answered) == (3, 1)


@pytest.mark.parametrize(
    ("answer", "error", "outcome"),
    [
        (Answers([], 0), NoWorkersError, "no_workers"),
        (BrokerUnavailableError("the broker cannot be reached"), BrokerUnavailableError, "unavailable"),
    ],
    ids=["no workers", "no broker"],
)
def test_what_nobody_could_load_stays_pending_and_says_how_to_activate_it(
    answer: Answers | InferenceError, error: type[Exception], outcome: str, served: PretendedGateway
) -> None:
    served.fleet.reports = answer

    with pytest.raises(error, match=rf'POST /networks/{NN_ID}/activate with {{"version": 2}}'):
        upload(MORE_WEIGHTS)

    assert Version.objects.get(number=2).state == Version.State.PENDING
    assert (latest().outcome, latest().previous.number) == (outcome, 1)
    assert latest().detail in ("no worker is connected", "the broker cannot be reached")
    assert not latest().reports.exists()
    assert active_number() == 1


def test_what_stayed_pending_is_activated_when_there_are_workers(served: PretendedGateway) -> None:
    reports = served.fleet.reports
    served.fleet.reports = Answers([], 0)
    with pytest.raises(NoWorkersError):
        upload(MORE_WEIGHTS)
    served.fleet.reports = reports

    assert this_gateway().switch.activate(NN_ID, 2, "somebody").loaded
    assert active_number() == 2
    assert Version.objects.get(number=2).state == Version.State.LOADED


def test_an_earlier_version_is_activated_again_and_recorded(served: PretendedGateway) -> None:
    upload(MORE_WEIGHTS)

    result = this_gateway().switch.activate(NN_ID, 1, "an operator")

    assert active_number() == 1
    assert served.fleet.loads[-1] == result.activation.version.ref()
    assert (latest().kind, latest().requested_by, latest().previous.number) == ("activate", "an operator", 2)
    assert [one.kind for one in Activation.objects.order_by("id")] == ["upload", "upload", "activate"]


def test_what_is_not_there_is_not_activated_and_no_worker_is_asked(served: PretendedGateway) -> None:
    with pytest.raises(NotFoundError):
        this_gateway().switch.activate(NN_ID, 9, "somebody")
    with pytest.raises(NotFoundError):
        this_gateway().switch.rollback(OTHER_NN_ID, "somebody")
    with pytest.raises(ConflictError):
        this_gateway().switch.rollback(NN_ID, "somebody")
    upload(MORE_WEIGHTS)
    services.delete_version(NN_ID, 1, "somebody")
    with pytest.raises(ConflictError, match="is deleted: upload its weights again"):
        this_gateway().switch.activate(NN_ID, 1, "somebody")

    assert len(served.fleet.loads) == Activation.objects.count() == 2


def test_a_rollback_goes_back_and_further_back(served: PretendedGateway) -> None:
    upload(MORE_WEIGHTS)
    upload(b"even more")

    assert [this_gateway().switch.rollback(NN_ID, "somebody").activation.version.number for _ in range(2)] == [2, 1]
    assert (active_number(), latest().kind, latest().previous.number) == (1, "rollback", 2)


def test_a_failed_activation_of_an_earlier_version_leaves_everything_as_it_was(served: PretendedGateway) -> None:
    upload(MORE_WEIGHTS)
    served.fleet.reports = Answers([failed("w1"), loaded("w2")], 0)

    assert not this_gateway().switch.activate(NN_ID, 1, "somebody").loaded

    assert active_number() == 2
    assert {version.state for version in Version.objects.all()} == {Version.State.LOADED}
    assert latest().outcome == Activation.Outcome.FAILED


def test_the_upload_is_stored_before_the_workers_are_asked(served: PretendedGateway) -> None:
    asked = served.fleet.load
    found: list[bool] = []

    def load(version: object, timeout_seconds: float, *_: object) -> object:
        found.append(Version.objects.filter(number=2, state=Version.State.PENDING).exists())
        return asked(version, timeout_seconds)  # type: ignore[arg-type]

    served.fleet.load = load  # type: ignore[method-assign,assignment]
    upload(MORE_WEIGHTS)

    assert found == [True]
