"""How a gateway process counts what its requests have left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inference.amqp_door import names
from inference.dispatch.predict_input import PREDICT_DOOR
from inference.grpc_door import infer_request
from inference.http.observed import METHODS, ONE_BY_ONE, note
from inference.http.open_inference import infer_body
from inference.http.tensorflow_serving import predict_rows
from inference.models import Activation, PredictionTiming
from inference.models.timing import DOORS
from inference.monitoring import board as board_module
from inference.monitoring import catalogue, observations
from inference.monitoring.board import Board, sit_down
from inference.monitoring.catalogue import Metric
from inference.monitoring.recorder import Recorder
from inference.statistics.timings import Timing
from tests.unit.samples import NN_ID

Outcome = PredictionTiming.Outcome
#: What a gateway, Django or the server answers with.
STATUSES = (
    200, 204, 301, 302, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 417, 429, 431, 500, 501, 503, 504,
    507,
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "_own", None)
    for observed in (
        observations.requests, observations.predict_requests, observations.predictions, observations.batches,
        observations.switches,
    ):  # fmt: skip
        observed.clear()  # type: ignore[attr-defined]


def timing(outcome: Outcome, rows: int = 1, total_ms: float = 4.0) -> Timing:
    return Timing(datetime.now(UTC), "", None, "", rows, rows, total_ms, 0.5, 0.4, outcome, PREDICT_DOOR)


def recorder(totals: dict[Metric, float] | None = None, held: int = 0) -> Recorder:
    return Recorder(lambda: totals or {}, lambda: {catalogue.REQUESTS_HELD: held})


def number(recorder: Recorder, metric: Metric, *labels: str) -> float:
    return recorder.read_all()[0].numbers[metric.name, labels]


def histogram(recorder: Recorder, metric: Metric, *labels: str) -> tuple[float, float]:
    *counts, total = recorder.read_all()[0].histograms[metric.name, labels]
    return sum(counts), round(total, 6)


def test_predictions_are_counted_by_how_they_ended() -> None:
    ours = recorder()
    observations.predictions.extend(
        [timing(Outcome.ANSWERED, rows=3), timing(Outcome.ANSWERED, total_ms=8.0), timing(Outcome.REFUSED)]
    )

    assert number(ours, catalogue.PREDICTIONS, "answered", "predict") == 2
    assert number(ours, catalogue.PREDICTIONS, "refused", "predict") == 1
    assert number(ours, catalogue.PREDICTION_ROWS) == 4
    assert histogram(ours, catalogue.PREDICTION_SECONDS) == (2, 0.012)
    assert histogram(ours, catalogue.PREDICTION_QUEUE_SECONDS) == (2, 0.001)


def test_predictions_are_counted_by_what_they_came_by() -> None:
    ours = recorder()
    observations.predictions.extend(
        timing(outcome)._replace(door=door)
        for outcome, door in [(Outcome.ANSWERED, "v2"), (Outcome.ANSWERED, PREDICT_DOOR), (Outcome.FAILED, "v2")] * 2
    )

    assert number(ours, catalogue.PREDICTIONS, "answered", "v2") == 2
    assert number(ours, catalogue.PREDICTIONS, "answered", "predict") == 2
    assert number(ours, catalogue.PREDICTIONS, "failed", "v2") == 2


def test_every_door_is_known_before_somebody_comes_by_it() -> None:
    assert set(DOORS) == {PREDICT_DOOR, infer_body.DOOR, predict_rows.DOOR, infer_request.DOOR, names.DOOR}


def test_requests_are_counted_by_address_and_status() -> None:
    ours = recorder()
    infer = "/v2/models/<name>/infer"
    observations.predict_requests.extend(
        [("/predict", "200", 0.25), ("/predict", "200", 0.5), (infer, "200", 0.125), ("/predict", "503", 0.001)]
    )
    observations.requests.append(("/status", "GET", "200", 0.1))

    assert number(ours, catalogue.HTTP_REQUESTS, "/predict", "POST", "200") == 2
    assert number(ours, catalogue.HTTP_REQUESTS, "/predict", "POST", "503") == 1
    assert number(ours, catalogue.HTTP_REQUESTS, infer, "POST", "200") == 1
    assert number(ours, catalogue.HTTP_REQUESTS, "/status", "GET", "200") == 1
    assert histogram(ours, catalogue.HTTP_SECONDS, infer) == (1, 0.125)
    assert histogram(ours, catalogue.HTTP_SECONDS, "/predict") == (3, 0.751)


def test_batches_and_switches_are_counted() -> None:
    ours = recorder()
    observations.batches.extend([1, 40])
    observations.switches.append(("rollback", "failed", 2.5))

    assert histogram(ours, catalogue.BATCH_REQUESTS) == (2, 41)
    assert number(ours, catalogue.SWITCHES, "rollback", "failed") == 1
    assert histogram(ours, catalogue.SWITCH_SECONDS_TAKEN, "failed") == (1, 2.5)


def test_what_is_counted_once_is_not_counted_again() -> None:
    ours = recorder()
    observations.batches.append(1)
    ours.record()
    ours.record()

    assert histogram(ours, catalogue.BATCH_REQUESTS) == (1, 1)


def test_what_an_alert_looks_at_is_there_before_it_happens() -> None:
    ours = recorder()

    assert [number(ours, catalogue.PREDICTIONS, "timed_out", door) for door in DOORS] == [0] * len(DOORS)
    assert number(ours, catalogue.SWITCHES, Activation.Kind.UPLOAD, Activation.Outcome.FAILED) == 0


def test_the_parts_totals_are_told_as_they_grow() -> None:
    totals: dict[Metric, float] = {catalogue.TIMINGS_DROPPED: 0}
    ours = recorder(totals)
    for dropped in (0, 3, 3, 7):
        totals[catalogue.TIMINGS_DROPPED] = dropped
        assert number(ours, catalogue.TIMINGS_DROPPED) == dropped


def test_all_processes_of_a_gateway_are_told_of() -> None:
    board, recorders = Board(2), []
    for held in (3, 5):
        seat = board.take_seat()
        assert seat is not None
        sit_down(board, seat)
        recorders.append(recorder(held=held))
        observations.batches.append(held)
        recorders[-1].record()

    counted, now = recorders[0].read_all()

    assert counted.histograms[catalogue.BATCH_REQUESTS.name, ()][-1] == 8
    assert now == {catalogue.REQUESTS_HELD.name: 8}


def test_a_process_goes_on_counting_where_the_one_before_ended_and_its_gauges_are_gone() -> None:
    board = Board(2)
    survivor_seat, seat = board.take_seat(), board.take_seat()
    assert survivor_seat is not None
    assert seat is not None
    sit_down(board, survivor_seat)
    survivor = recorder(held=1)
    sit_down(board, seat)
    totals: dict[Metric, float] = {catalogue.TIMINGS_DROPPED: 4}
    observations.batches.append(6)
    recorder(totals, held=2).record()

    board.leave(seat)  # it was killed

    assert survivor.read_all()[1] == {catalogue.REQUESTS_HELD.name: 1}
    assert histogram(survivor, catalogue.BATCH_REQUESTS) == (1, 6)
    sit_down(board, seat)
    totals[catalogue.TIMINGS_DROPPED] = 1
    observations.batches.append(7)
    recorder(totals).record()
    assert histogram(survivor, catalogue.BATCH_REQUESTS) == (2, 13)
    assert number(survivor, catalogue.TIMINGS_DROPPED) == 5


def test_whatever_clients_ask_for_fits_a_seat() -> None:
    ours = recorder()
    protocols = [f"/v2/models/iris{part}" for part in ("", "/infer", "/ready", "/config", "/stats")]
    protocols += [f"/v2/repository/models/iris/{part}" for part in ("load", "unload")]
    protocols += [f"/v1/models/iris{part}" for part in ("", "/metadata", ":predict")]
    paths = (*sorted(ONE_BY_ONE), *protocols, "/admin/", "/static/")
    network = f"/networks/{NN_ID}"
    parts = ("", "/activate", "/rollback", "/versions/7", "/versions/7/weights", "/no-part")
    asked = [*paths, *(network + part for part in parts), *map(str, range(10_000))]
    for number_of_path, path in enumerate(asked):
        for method in (*METHODS, "BREW", "\x1b[31m"):
            for status in STATUSES if path.startswith("/") else (404,):
                note(method, path, str(status), 0.001)
        if path.startswith("/") or number_of_path % 500 == 0:
            ours.record()
    ours.record()

    counted = ours.read_all()[0].numbers

    series = [labels for name, labels in counted if name == catalogue.HTTP_REQUESTS.name]
    assert len(series) <= (len(paths) + len(parts)) * (len(METHODS) + 1) * len(STATUSES)
    assert counted[catalogue.HTTP_REQUESTS.name, ("other", "other", "404")] >= 20_000


def test_a_request_that_nobody_knows_the_time_of_is_counted_only() -> None:
    ours = recorder()
    note("POST", "/predict", "408", None)

    assert number(ours, catalogue.HTTP_REQUESTS, "/predict", "POST", "408") == 1
    assert histogram(ours, catalogue.HTTP_SECONDS, "/predict") == (0, 0)
