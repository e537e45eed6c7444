"""A short run of tests/fuzz against a gateway: whatever is sent, the answer is right, or an error in JSON."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Iterator
from itertools import count

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.http.answers import read_answers
from tests.fuzz.http.cases import KINDS, make_case
from tests.fuzz.http.gateway import embedded
from tests.fuzz.http.run import Summary, try_case
from tests.fuzz.http.trial import try_out
from tests.fuzz.schema import ask
from tests.support.system import System

CASES, SEED, CONNECTIONS = 2000, 1, 16
SCHEMA_EXAMPLES = 4
BODY = b'{"vector": [0.1, 0.2]}'
#: hypothesis goes on from what it finds; a name that another case had would take one answer for another's.
numbers = count()


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """The embedded form."""
    with embedded() as system:
        yield system


def test_thousands_of_hostile_requests_are_answered_rightly_and_leave_nothing(system: System) -> None:
    trial = try_out(system, range(SEED, SEED + CASES), CONNECTIONS)

    assert trial.findings == [], str(trial)
    assert set(trial.summary.cases) == set(KINDS)
    assert trial.summary.statuses["predictions", 200] > 100


@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(chance=st.randoms(use_true_random=False))
def test_the_smallest_hostile_request_that_is_answered_wrongly(system: System, chance: random.Random) -> None:
    case = make_case(chance, f"hypothesis-{next(numbers)}")

    assert try_case(system.url, "hypothesis", case, Summary()) == [], case


def test_schemathesis_finds_no_answer_that_is_not_documented(system: System) -> None:
    done = ask(system.url, SCHEMA_EXAMPLES, SEED, system.directory)

    assert done.returncode == 0, done.stdout + done.stderr
    operations = set(re.findall(r"(?:Operations: +\d+ selected / |Selected: \d+/|Tested: )(\d+)", done.stdout))
    assert len(operations) == 1, done.stdout


@pytest.mark.parametrize("missing", [1, 100_000])
def test_a_body_that_breaks_off_is_not_taken_for_the_whole(system: System, missing: int) -> None:
    head = f"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: {len(BODY) + missing}\r\n\r\n"
    with system.connect() as client:
        client.sendall(head.encode() + BODY)
        client.shutdown(socket.SHUT_WR)
        received = client.makefile("rb").read()

    (answer,) = read_answers(received)
    assert (answer.status, answer.json()["status"]) == (400, False)
    assert f"broke off: {missing} bytes are missing" in answer.json()["message"]


@pytest.mark.parametrize("charset", ["zlib", "punycode", "idna", "utf-16", "nonsense"])
def test_no_charset_that_a_client_names_fails_its_request(system: System, charset: str) -> None:
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    for path in ("/predict", "/predict?a=%ff"):
        assert requests.post(system.url + path, BODY, headers=headers, timeout=60).json()["status"] is True
    assert requests.get(f"{system.url}/networks?limit=1", headers=headers, timeout=60).json()["count"] >= 1

    form = b'--b\r\nContent-Disposition: form-data; name="data"; filename="\xed\x9f"\r\n\r\n\xff\r\n--b--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    refused = requests.put(system.url + "/set_weights", form, headers=headers, timeout=60)
    assert (refused.status_code, refused.json()["status"]) == (400, False)


def test_an_answer_never_names_a_version_of_http_that_is_not_spoken(system: System) -> None:
    with system.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.9\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_no_header_says_where_the_gateway_is_mounted(system: System) -> None:
    """A proxy on the same machine that keeps strangers from /admin/ would pass it on."""
    for path, status in ("/x/admin/login/", b"404"), ("/healthz", b"200"):
        with system.connect() as client:
            head = f"GET {path} HTTP/1.1\r\nHost: h\r\nSCRIPT_NAME: /x\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode())
            assert client.makefile("rb").read().startswith(b"HTTP/1.1 " + status)
