"""A weight change from the upload to the switch: every worker loads it, or nobody serves it."""

from __future__ import annotations

import pytest

from inference.asking import Answers
from inference.errors import BrokerUnavailableError, InferenceError, NoWorkersError
from inference.models import DefaultNetwork, Network, Version
from inference.switch import SwitchResult, set_weights, switch_to
from tests.unit.samples import NN_ID, OTHER_NN_ID, PretendedGateway, failed, loaded

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS = b"weights", b"more weights"


def upload(weights: bytes = WEIGHTS, nn_id: str = NN_ID) -> SwitchResult:
    return set_weights(nn_id, "weights.b64", weights)


def active_number(nn_id: str = NN_ID) -> int | None:
    active = Network.objects.get(nn_id=nn_id).active
    return active.number if active else None


@pytest.fixture
def served(gateway: PretendedGateway) -> PretendedGateway:
    """A gateway that serves version 1, with two workers that load what they are asked to."""
    gateway.fleet.reports = Answers([loaded("w1"), loaded("w2")], 0)
    upload()
    return gateway


def test_what_all_workers_have_loaded_is_active(served: PretendedGateway) -> None:
    result = upload(MORE_WEIGHTS)

    assert result.loaded
    assert [report.worker for report in result.reports] == ["w1", "w2"]
    assert active_number() == result.version.number == 2
    assert DefaultNetwork.objects.get().network_id == NN_ID
    assert Version.objects.get(number=2).state == Version.State.LOADED


def test_the_workers_are_asked_for_exactly_this_version(served: PretendedGateway) -> None:
    result = upload(MORE_WEIGHTS)

    assert served.fleet.loads[-1] == result.version.ref()


def test_what_one_worker_could_not_load_changes_nothing(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([loaded("w1"), failed("w2", "Traceback\nWeightsError: NaN")], 0)

    result = upload(MORE_WEIGHTS, OTHER_NN_ID)

    assert not result.loaded
    assert active_number(OTHER_NN_ID) is None
    assert active_number() == 1
    assert DefaultNetwork.objects.get().network_id == NN_ID
    stored = Version.objects.get(network_id=OTHER_NN_ID)
    assert stored.state == Version.State.FAILED
    assert list(stored.reports.values_list("worker", "loaded", "trace")) == [
        ("w1", True, ""),
        ("w2", False, "Traceback\nWeightsError: NaN"),
    ]


def test_a_silent_worker_counts_as_failed(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([loaded("w1")], 2)

    result = upload(MORE_WEIGHTS)

    assert not result.loaded
    assert [report.loaded for report in result.reports] == [True, False, False]
    assert "did not report within" in result.reports[1].trace
    assert active_number() == 1
    assert Version.objects.get(number=2).reports.filter(loaded=False).count() == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answers([], 0), NoWorkersError),
        (BrokerUnavailableError("the broker cannot be reached"), BrokerUnavailableError),
    ],
    ids=["no workers", "no broker"],
)
def test_what_nobody_could_load_stays_pending(
    answer: Answers | InferenceError, error: type[Exception], served: PretendedGateway
) -> None:
    served.fleet.reports = answer

    with pytest.raises(error):
        upload(MORE_WEIGHTS)

    stored = Version.objects.get(number=2)
    assert stored.state == Version.State.PENDING
    assert not stored.reports.exists()
    assert active_number() == 1


def test_what_stayed_pending_is_activated_when_there_are_workers(served: PretendedGateway) -> None:
    reports = served.fleet.reports
    served.fleet.reports = Answers([], 0)
    with pytest.raises(NoWorkersError):
        upload(MORE_WEIGHTS)
    served.fleet.reports = reports

    result = switch_to(Version.objects.get(number=2))

    assert result.loaded
    assert active_number() == 2


def test_an_earlier_version_is_switched_back_to(served: PretendedGateway) -> None:
    upload(MORE_WEIGHTS)

    switch_to(Version.objects.get(number=1))

    assert active_number() == 1


def test_the_upload_is_stored_before_the_workers_are_asked(served: PretendedGateway) -> None:
    asked = served.fleet.load
    found: list[bool] = []

    def load(version: object, timeout_seconds: float) -> object:
        found.append(Version.objects.filter(number=2, state=Version.State.PENDING).exists())
        return asked(version, timeout_seconds)  # type: ignore[arg-type]

    served.fleet.load = load  # type: ignore[method-assign,assignment]
    upload(MORE_WEIGHTS)

    assert found == [True]
