"""Every answer has an id and is counted once: by whichever way it goes, and when the server refuses what is none."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from inference.supervision import programs
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.system import System
from tests.support.waiting import wait_until
from tests.support.wire import exchange, exchange_on, request
from workers.log_limit import LINES_A_SECOND

SECONDS = 20.0
#: What a process has counted is written once a second.
RECORDED_SECONDS = 1.5
BROKEN = 500
#: An endpoint, a method and a status, as /metrics counts them.
Counted = tuple[str, str, str]
OK = b'{"vector": [0.1, 0.2]}'
LAST = "Connection: close"
POST, OLD_POST = "POST /predict HTTP/1.1", "POST /predict HTTP/1.0"
UPLOAD = "PUT /set_weights HTTP/1.1"
MULTIPART = "Content-Type: multipart/form-data; boundary=b"


def told(size: int) -> str:
    return f"Content-Length: {size}"


#: What is sent on one connection, until it is closed; and how it is counted, one for each answer.
CASES: dict[str, tuple[bytes, list[Counted]]] = {
    "a prediction": (request(POST, OK, LAST), [("/predict", "POST", "200")]),
    "of HTTP/1.0": (request(OLD_POST, OK), [("/predict", "POST", "200")]),
    "large": (request(POST, OK + b" " * 70_000, LAST), [("/predict", "POST", "200")]),
    "after asking": (request(POST, OK, LAST, "Expect: 100-continue"), [("/predict", "POST", "200")]),
    "no JSON": (request(POST, b"{", LAST), [("/predict", "POST", "400")]),
    "no JSON, HTTP/1.0": (request(OLD_POST, b"{"), [("/predict", "POST", "400")]),
    "no such network": (
        request(POST, OK[:-1] + b', "nn_id": "' + b"f" * 32 + b'"}', LAST),
        [("/predict", "POST", "404")],
    ),
    "in chunks": (
        request(POST, b"2\r\n{}\r\n0\r\n\r\n", LAST, "Transfer-Encoding: chunked"),
        [("/predict", "POST", "400")],
    ),
    "too large": (request(POST, b" " * 9_000_000, LAST), [("/predict", "POST", "413")]),
    "another method": (request("PATCH /predict HTTP/1.1", b"", LAST), [("/predict", "PATCH", "405")]),
    "an unknown method": (request("BREW /predict HTTP/1.1", b"", LAST), [("other", "other", "400")]),
    "nowhere": (request("GET /a%0ab HTTP/1.1", b"", LAST), [("other", "GET", "404")]),
    "three in one piece, the last one broken": (
        request(POST, OK) * 2 + b"POST /predict\r\n\r\n",
        [("/predict", "POST", "200")] * 2 + [("other", "other", "400")],
    ),
    "three in one piece": (
        request(POST, OK) + request("GET /healthz HTTP/1.1") + request(POST, OK, LAST),
        [("/predict", "POST", "200"), ("/healthz", "GET", "200"), ("/predict", "POST", "200")],
    ),
    "a broken header": (request(POST, OK, "Bro ken: yes"), [("other", "other", "400")]),
    "a long address": (request(f"GET /{'a' * 9000} HTTP/1.1"), [("other", "other", "414")]),
    "a long header": (request(POST, OK, "X-A: " + "a" * 20_000), [("other", "other", "431")]),
    "an unknown coding": (request(POST, OK, "Transfer-Encoding: brewed"), [("other", "other", "501")]),
    "an unknown compression": (request(POST, OK, LAST, "Content-Encoding: brewed"), [("/predict", "POST", "415")]),
    "half of a head": (b"POST /predict HT", [("other", "other", "408")]),
    "half of a body": (request(POST, OK, told(200)), [("/predict", "POST", "408")]),
    "half of a large body": (request(POST, OK, told(200_000)), [("/predict", "POST", "408")]),
    "half of an upload": (request(UPLOAD, b"--b\r\n", MULTIPART, told(200_000)), [("/set_weights", "PUT", "408")]),
}


#: A Unix socket is not loopback: tokens would be required.
OPEN = {"PIPELINE_REQUIRE_TOKEN": "false", "PIPELINE_ALLOW_OPEN": "true"}


@pytest.fixture(scope="module", params=["", "--access-logfile -"], ids=["without", "with an access log"])
def system(
    request: pytest.FixtureRequest, rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A worker and two gateway processes that predict, also on a Unix socket."""
    made = System(tmp_path_factory.mktemp("system"), rabbitmq.url, PIPELINE_CLIENT_TIMEOUT="1", **OPEN)
    binds = f"--bind {made.environment['PIPELINE_BIND']} --bind unix:{unix_socket(made)}"
    made.environment["GUNICORN_CMD_ARGS"] = f"{binds} {request.param}"
    made.gateway = programs.gateway(made.directory, made.environment)
    for each in running(made, workers=1):
        yield each.load_first_sample()


def unix_socket(system: System) -> str:
    return str(system.directory / "socket")


def counts(system: System) -> Counter[Counted]:
    """How many answers are counted by now, but for those to /metrics and /status, which the test itself asks."""
    found: Counter[Counted] = Counter()
    for family in text_string_to_metric_families(requests.get(f"{system.url}/metrics", timeout=10).text):
        for sample in family.samples:
            if sample.name == "pipeline_http_requests_total" and sample.labels["endpoint"] not in {
                "/metrics",
                "/status",
            }:
                found[sample.labels["endpoint"], sample.labels["method"], sample.labels["status"]] += int(sample.value)
    return found


def test_every_answer_has_one_id_and_is_counted_once(system: System) -> None:
    sleep(RECORDED_SECONDS)
    before, expected = counts(system), Counter(each for _, counted in CASES.values() for each in counted)
    seen: set[str] = set()

    for case, (sent, counted) in CASES.items():
        answers = exchange(system, sent)
        assert [answer.status for answer in answers] == [status for _, _, status in counted], case
        assert all(len(answer.request_ids) == 1 for answer in answers), case
        seen.update(answer.request_ids[0] for answer in answers)

    assert len(seen) == expected.total()
    wait_until(lambda: (counts(system) - before).total() >= expected.total(), SECONDS, "the answers are counted")
    sleep(RECORDED_SECONDS)
    assert counts(system) - before == expected


@pytest.mark.parametrize("case", ["a prediction", "of HTTP/1.0", "a broken header", "half of a body"])
def test_it_is_so_on_a_unix_socket(case: str, system: System) -> None:
    sent, counted = CASES[case]
    sleep(RECORDED_SECONDS)
    before = counts(system)

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(unix_socket(system))
        (answer,) = exchange_on(connection, sent)

    assert (answer.status, len(answer.request_ids)) == (counted[0][-1], 1)
    wait_until(lambda: counts(system) - before == Counter(counted), SECONDS, "it is counted")


def test_a_clients_id_is_answered_and_logged_also_when_its_body_does_not_come(system: System) -> None:
    for body, status in ((OK, "200"), (b'{"vector": [1, 2, 3]}', "200"), (b"{", "400"), (b"", "408")):
        sent = request(POST, body, LAST, f"X-Request-ID: id-{status}-{len(body)}", told(len(body) or 10))

        (answer,) = exchange(system, sent)

        assert (answer.status, answer.request_ids) == (status, [f"id-{status}-{len(body)}"])


def test_what_follows_on_a_connection_is_not_logged_as_the_request_before(system: System) -> None:
    exchange(system, request(POST, OK, "X-Request-ID: the-first") + b"BROKEN\r\n\r\n")

    lines = invalid_requests(system)
    assert lines
    assert not [line for line in lines if "the-first" in line]


def test_broken_requests_do_not_fill_the_log(system: System) -> None:
    began, before = monotonic(), len(invalid_requests(system))

    for _ in range(BROKEN):
        exchange(system, b"BROKEN\r\n\r\n")

    seconds = monotonic() - began + 1
    assert len(invalid_requests(system)) - before <= min(BROKEN - 1, 2 * LINES_A_SECOND * (seconds + 1))


def invalid_requests(system: System) -> list[str]:
    """The lines of the gateway's log on requests that could not be read."""
    log = next(system.directory.rglob("log/gateway.log")).read_text()
    return [line for line in log.splitlines() if "Invalid request" in line]
