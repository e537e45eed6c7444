"""Every endpoint with no token, with a wrong one, with one that lacks the right, and with one that has it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from pytest_django.fixtures import Settings

from inference.access import failures, requirement
from inference.access.buckets import Rate
from inference.access.keys import digest_of
from inference.access.known_token import KnownToken
from inference.access.known_tokens import KnownTokens
from inference.access.rights import EVERYBODY, PREDICT, RIGHTS, STATUS, TRACES, WEIGHTS, right_for
from inference.errors import BrokerUnavailableError, PredictionFailedError
from inference.http import throttle
from inference.http.error_shape import says_error
from inference.http.network_views import Networks
from inference.http.throttle import RightThrottle
from inference.models import Activation
from inference.versions.asking import Answers
from inference.versions.uploads import store_version
from tests.support.rights import endpoints
from tests.unit import asking
from tests.unit.asking import Answered, Asked
from tests.unit.inference.dispatch.test_predictions import answer_of
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, activated, loaded
from workers.messages.protocol import Report

NETWORK = f"/networks/{NN_ID}"
ENDPOINTS = endpoints(NN_ID)
TRACE = "Traceback (most recent call last):\n  File secret.py\nRowsError: two numbers"


def key(right: str) -> str:
    return f"the key of who may {right}"


@pytest.fixture
def tokens(db: None, gateway: PretendedGateway, settings: Settings) -> Iterator[None]:
    """A gateway that listens to the world, with a token for each right."""
    settings.PIPELINE_THROTTLE_FAILURES = None
    requirement.listen_at([("192.0.2.1", 80)])
    living = [
        KnownToken(number, f"who may {right}", digest_of(key(right)), frozenset({right}))
        for number, right in enumerate(RIGHTS)
    ]
    gateway.tokens = KnownTokens(lambda: living)
    gateway.tokens.refresh()
    gateway.dispatcher.outcome = answer_of(0.75)
    forget_limits()
    yield
    forget_limits()


def forget_limits() -> None:
    failures._buckets.cache_clear()
    throttle._buckets.cache_clear()


def ask(client: Client, method: str, path: str, token: str = "", **options: Any) -> Any:
    headers = {"Authorization": f"Token {token}"} if token else {}
    if path == "/predict":
        return predict(headers, options.get("REMOTE_ADDR", "127.0.0.1"))
    if path.endswith((":predict", "/infer")):
        return asking.ask(path, b"{}", headers=headers)
    return client.generic(method, path, b"{}", "application/json", headers=headers, **options)


def predict(headers: dict[str, str], address: str = "127.0.0.1") -> Answered:
    return asking.ask("/predict", b'{"vector": [0.5, 0.25]}', headers=headers, client=address)


def activate(client: Client) -> Any:
    headers = {"Authorization": f"Bearer {key(WEIGHTS)}"}
    return client.post(f"{NETWORK}/activate", b'{"version": 1}', "application/json", headers=headers)


@pytest.mark.parametrize(("method", "path", "right"), ENDPOINTS)
def test_an_endpoint_needs_a_token_with_its_right(
    method: str, path: str, right: str, client: Client, tokens: None
) -> None:
    without, wrong = ask(client, method, path), ask(client, method, path, "made up")
    others = [ask(client, method, path, key(other)) for other in RIGHTS if other != right]
    with_it = ask(client, method, path, key(right))

    assert [each.status_code for each in (without, wrong)] == [401, 401]
    assert [each.status_code for each in others] == [403] * len(others)
    assert with_it.status_code not in (401, 403)
    for refused in (without, wrong):
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="pipeline", Token realm="pipeline"'
    for refused in (without, wrong, *others) if method != "HEAD" else ():
        assert refused.headers["Content-Type"] == "application/json"
        answer = refused.json()
        assert answer.keys() == ({"error"} if says_error(path) else {"status", "message"})
        assert answer.get("status", False) is False
        assert f"create_token NAME --may {right}" in answer.get("message", answer.get("error"))


def test_no_address_of_the_rest_interface_is_left_out(gateway: PretendedGateway) -> None:
    views = [getattr(pattern.callback, "cls", None) for pattern in get_resolver().url_patterns if pattern.callback]
    needed = {right_for(view, "GET") for view in views if view}

    assert len([view for view in views if view and right_for(view, "GET") != EVERYBODY]) == len(
        {path for _, path, _ in ENDPOINTS}
    )
    assert needed == {PREDICT, STATUS, WEIGHTS, EVERYBODY}


@pytest.mark.parametrize("scheme", ["Token", "token", "Bearer", "bearer"])
def test_a_token_comes_by_either_scheme(scheme: str, client: Client, tokens: None) -> None:
    headers = {"Authorization": f"{scheme} {key(STATUS)}"}

    assert client.get("/networks", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        key(STATUS),
        f"Basic {key(STATUS)}",
        f"Token {key(STATUS)},x",
        "Token é",
        "Token " + 999 * "x",
    ],
)
def test_whatever_is_no_token_is_401(header: str, client: Client, tokens: None) -> None:
    assert client.get("/networks", headers={"Authorization": header}).status_code == 401
    assert predict({"Authorization": header}).status_code == 401


def test_of_two_tokens_neither_is_taken(gateway: PretendedGateway, tokens: None) -> None:
    for path, method, right in (("/predict", "POST", PREDICT), ("/metrics", "GET", STATUS)):
        more = [(b"authorization", f"Token {key(right)}".encode())]
        asked: dict[str, Any] = {"body": b'{"vector": [0.5, 0.25]}', "method": method}

        assert asking.ask(path, more_headers=more, **asked).status_code == 200
        assert asking.ask(path, more_headers=more * 2, **asked).status_code == 401


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0)])
def test_on_loopback_everything_is_open_and_no_token_is_looked_at(address: Any, client: Client, tokens: None) -> None:
    requirement.listen_at([address])

    assert ask(client, "POST", "/predict").status_code == 200
    assert ask(client, "GET", "/networks", "made up").status_code == 200


def test_who_asked_is_the_tokens_name(client: Client, tokens: None, workers: PretendedGateway) -> None:
    activated(store_version(NN_ID, "w.h5", b"weights", b"{}"))

    assert ask(client, "POST", f"{NETWORK}/activate", key(WEIGHTS)).status_code == 400  # no version named
    activate(client)
    assert Activation.objects.first().requested_by == "who may weights"  # type: ignore[union-attr]


def test_the_admins_cookie_opens_nothing(operator: Client, tokens: None) -> None:
    assert operator.get("/admin/").status_code == 200
    assert operator.get("/status").status_code == 401


def test_an_orchestrator_needs_no_token_and_hears_no_details(
    client: Client, gateway: PretendedGateway, tokens: None
) -> None:
    gateway.health.what_workers_tell = BrokerUnavailableError("broker.example.com is away")
    assert client.get("/healthz").json() == {"status": True, "message": "OK"}

    stranger = client.get("/readyz").json()
    told = client.get("/readyz", headers={"Authorization": f"Token {key(STATUS)}"}).json()

    assert stranger["message"] == "not ready"
    assert stranger["checks"]["workers"] == {"status": False, "message": "not ready"}
    assert told["message"].startswith("broker: broker.example.com is away")
    assert stranger["checks"].keys() == told["checks"].keys()


def test_the_front_page_tells_a_stranger_no_details(client: Client, gateway: PretendedGateway, tokens: None) -> None:
    gateway.health.what_workers_tell = BrokerUnavailableError("broker.example.com is away")
    for accepted in ("application/json", "text/html"):
        answer = client.get("/", headers={"Accept": accepted})
        assert answer.status_code == 200
        assert "not ready" in answer.content.decode()
        assert "broker.example.com" not in answer.content.decode()


def message(response: Any) -> str:
    return base64.b64decode(response.json()["message"]).decode()


def test_a_failed_predictions_trace_needs_a_right_of_its_own(
    client: Client, gateway: PretendedGateway, tokens: None
) -> None:
    both = KnownToken(9, "both", digest_of("both"), frozenset({PREDICT, TRACES}))
    gateway.tokens = KnownTokens(lambda: [both, KnownToken(8, "one", digest_of("one"), frozenset({PREDICT}))])
    gateway.tokens.refresh()
    gateway.dispatcher.outcome = PredictionFailedError(TRACE)

    assert message(ask(client, "POST", "/predict", "both")) == TRACE
    assert message(ask(client, "POST", "/predict", "one")) == (
        "RowsError: two numbers (the stack trace is for tokens with the right 'traces')"
    )
    for token in ("both", "one"):
        assert ask(client, "POST", "/predict", token).json()["error"] == "RowsError: two numbers"


def test_a_reports_trace_needs_it_too(client: Client, gateway: PretendedGateway, tokens: None) -> None:
    activated(store_version(NN_ID, "w.h5", b"weights", b"{}"))
    gateway.fleet.reports = Answers([Report("w1", False, TRACE, 0.1), loaded("w2")], 0)
    response = activate(client)
    kept = ask(client, "GET", f"{NETWORK}/versions/1", key(STATUS))

    assert response.json()["workers"][0]["result"] is False
    for answer in (response, kept):
        assert base64.b64encode(b"RowsError: two numbers (the").decode()[:30] in answer.content.decode()
        assert base64.b64encode(b"Traceback (most").decode()[:20] not in answer.content.decode()


def test_too_many_failures_are_told_to_wait_and_a_good_token_is_not(
    client: Client, tokens: None, settings: Settings
) -> None:
    settings.PIPELINE_THROTTLE_FAILURES = Rate(3, 60.0)
    answers = [ask(client, "GET", "/networks", f"guess {number}") for number in range(5)]

    assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 20
    assert answers[-1].json()["status"] is False
    assert ask(client, "POST", "/predict", "guess").status_code == 429
    assert ask(client, "GET", "/networks", "guess", REMOTE_ADDR="192.0.2.9").status_code == 401
    assert ask(client, "GET", "/networks", key(STATUS)).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("PUT", "/set_weights"), ("POST", "/predict")])
def test_nothing_is_read_of_who_may_not_ask_that(
    method: str, path: str, gateway: PretendedGateway, tokens: None, settings: Settings
) -> None:
    settings.PIPELINE_THROTTLE_FAILURES = Rate(1, 60.0)
    wrong = {"Authorization": f"Token {key(STATUS)}", "Content-Length": "1000000"}
    guess = {"Authorization": "Token guess", "Content-Length": "1000000"}
    requests = [Asked(path, pieces=[b"x"] * 9, method=method, headers=headers) for headers in (wrong, *[guess] * 3)]
    for asked in requests:
        asking.answer_all(asked)

    assert [each.answered.status_code for each in requests] == [403, 401, 429, 429]
    assert [len(each.pieces) for each in requests] == [9] * 4


def test_a_token_may_not_ask_more_often_than_its_right_is_for(
    client: Client, tokens: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PIPELINE_THROTTLES = {STATUS: Rate(2, 60.0), PREDICT: None}
    monkeypatch.setattr(Networks, "throttle_classes", [RightThrottle])
    answers = [ask(client, "GET", "/networks", key(STATUS)) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"] == "30"
    assert answers[2].json() == {
        "status": False, "message": "more requests for 'status' than you may send: try again in 30 s"
    }  # fmt: skip
    assert {ask(client, "POST", "/predict", key(PREDICT)).status_code for _ in range(9)} == {200}


def test_whoever_needs_a_token_is_let_in_with_a_known_one_only(tokens: None, gateway: PretendedGateway) -> None:
    good = {"Authorization": f"Bearer {key(PREDICT)}"}
    assert predict(good).status_code == 200
    for header in ("", "Token made up", f"Basic {key(PREDICT)}"):
        assert predict({"Authorization": header}).status_code == 401
    gateway.tokens = KnownTokens(list)
    assert predict(good).status_code == 503  # nobody knows which there are
    requirement.listen_at([("127.0.0.1", 80)])
    assert predict({}).status_code == 200


def test_where_no_token_is_required_an_address_is_counted(client: Client, tokens: None, settings: Settings) -> None:
    requirement.listen_at([("127.0.0.1", 80)])
    settings.PIPELINE_THROTTLES = {PREDICT: Rate(1, 60.0)}
    statuses = [ask(client, "POST", "/predict", REMOTE_ADDR=f"192.0.2.{each}").status_code for each in (1, 1, 2, 2)]

    assert statuses == [200, 429, 200, 429]
