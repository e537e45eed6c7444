"""Tokens on a real gateway of three processes, which also listens on a Unix socket and so requires them."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from inference.access.keys import digest_of, new_key
from inference.access.rights import RIGHTS
from inference.client.http_client import ClientError, PipelineClient
from inference.http.error_shape import says_error
from inference.http.security_headers import EVERYWHERE, POLICY
from inference.supervision import programs
from inference.supervision.rabbitmq import PrivateNode
from tests.support.rights import endpoints
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from tests.support.wire import exchange, request

PROCESSES = 3
#: All keys, by the names of their tokens: one for each right, one with all, one that is revoked.
KEYS = {name: new_key() for name in (*RIGHTS, "all", "revoked")}
FIRST = samples()[0]
ENDPOINTS = endpoints(FIRST.nn_id)


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A worker and three gateway processes; nothing but where they listen says that tokens are required."""
    made = System(
        tmp_path_factory.mktemp("system"), rabbitmq.url, PIPELINE_GATEWAY_PROCESSES=str(PROCESSES),
        PIPELINE_CLIENT_TIMEOUT="1", PIPELINE_THROTTLE_FAILURES="1000/s", PIPELINE_THROTTLE_WEIGHTS="20/h",
    )  # fmt: skip
    binds = f"--bind {made.environment['PIPELINE_BIND']} --bind unix:{made.directory / 'socket'}"
    made.environment["GUNICORN_CMD_ARGS"] = binds
    made.gateway = programs.gateway(made.directory, made.environment)
    made.client = PipelineClient(made.url, 60.0, KEYS["all"])
    try:
        programs.migrate(made.environment)
        for name, key in KEYS.items():
            rights = ",".join(RIGHTS) if name in ("all", "revoked") else name
            insert(made, name, key, rights, revoked=name == "revoked")
        made.gateway.start()
        made.add_worker()
        yield made.wait_for_workers(1).load_first_sample()
    finally:
        made.stop()


def insert(system: System, name: str, key: str, rights: str, *, revoked: bool = False) -> None:
    """Make a token, as `manage.py create_token` does, which takes seconds."""
    now = datetime.now(UTC).isoformat(sep=" ")
    execute(
        system,
        "INSERT INTO inference_accesstoken (name, digest, rights, created_at, revoked_at) VALUES (?, ?, ?, ?, ?)",
        name, digest_of(key), rights, now, now if revoked else None,
    )  # fmt: skip


def execute(system: System, statement: str, *values: Any) -> list[Any]:
    file = system.directory / "var" / "pipeline.sqlite3"
    with closing(sqlite3.connect(file, timeout=20)) as database, database:
        return database.execute(statement, values).fetchall()


def ask(system: System, method: str, path: str, key: str | None = None, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"vector": [0.5, 0.25]} if path == "/predict" else {}
    return requests.request(method, system.url + path, headers=headers, json=body, timeout=30, **options)


@pytest.mark.parametrize(("method", "path", "right"), ENDPOINTS)
def test_every_endpoint_needs_its_right(method: str, path: str, right: str, system: System) -> None:
    refused = {None: 401, "a made-up key": 401, KEYS["revoked"]: 401}
    refused |= {KEYS[other]: 403 for other in RIGHTS if other != right}
    for key, status in refused.items():
        answer = ask(system, method, path, key)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        if method != "HEAD":
            told = answer.json()
            assert told.keys() == ({"error"} if says_error(path) else {"status", "message"})
            assert f"--may {right}" in told.get("message", told.get("error"))

    assert ask(system, method, path, KEYS[right]).status_code in (200, 400, 404, 409)


def test_everybody_may_ask_how_it_is(system: System) -> None:
    for path in ("/", "/healthz", "/readyz"):
        for key in (None, "a made-up key"):
            assert ask(system, "GET", path, key).status_code == 200


def test_an_upload_without_a_right_is_told_so_and_not_cut_off(system: System) -> None:
    refused = PipelineClient(system.url, 30.0, "a made-up key")

    with pytest.raises(ClientError, match="401: the token is unknown or revoked"):
        refused.set_weights(FIRST.nn_id, "large.b64", b"A" * 20_000_000)


def accepted(system: System, name: str, key: str, revoked_at: str | None) -> dict[str, float]:
    """Ask each process over and over, on a connection a process, from when a token was changed; how many seconds after
    the change each process went on answering as before.
    """
    sessions: dict[str, requests.Session] = {}
    while len(sessions) < PROCESSES:
        session = requests.Session()
        answer = session.get(f"{system.url}/healthz", timeout=30)
        sessions.setdefault(answer.headers["X-Request-ID"].partition("-")[0], session)
    for session in sessions.values():
        session.headers["Authorization"] = f"Token {key}"
    before = {session.get(f"{system.url}/networks", timeout=30).status_code for session in sessions.values()}
    assert len(before) == 1
    execute(system, "UPDATE inference_accesstoken SET revoked_at = ? WHERE name = ?", revoked_at, name)
    changed, last = time.monotonic(), dict.fromkeys(sessions, 0.0)
    waiting = dict(sessions)
    while waiting and time.monotonic() - changed < 10:
        for process, session in list(waiting.items()):
            asked = time.monotonic()
            answer = session.get(f"{system.url}/networks", timeout=30)
            assert answer.headers["X-Request-ID"].startswith(process)
            if {answer.status_code} == before:
                last[process] = asked - changed
            else:
                del waiting[process]
    assert not waiting
    return last


def test_a_token_is_revoked_within_a_second_in_every_process_and_taken_as_soon(system: System) -> None:
    key = new_key()
    insert(system, "short-lived", key, "status")
    wait_until(lambda: all(ask(system, "GET", "/networks", key).ok for _ in range(30)), 5.0, "all know the token")

    gone = accepted(system, "short-lived", key, datetime.now(UTC).isoformat(sep=" "))
    back = accepted(system, "short-lived", key, None)

    assert len(gone) == len(back) == PROCESSES
    assert max(gone.values()) < 1.0
    assert max(back.values()) < 1.0


def test_the_last_use_is_written_and_a_flood_of_made_up_tokens_is_not(system: System) -> None:
    def last_uses() -> dict[str, str | None]:
        return dict(execute(system, "SELECT name, last_used_at FROM inference_accesstoken"))

    assert ask(system, "POST", "/predict", KEYS["predict"]).ok
    wait_until(lambda: last_uses()["predict"], 5.0, "the last use is written")
    session = requests.Session()
    for _ in range(500):
        session.headers["Authorization"] = f"Token {new_key()}"
        assert session.post(f"{system.url}/predict", json={"vector": [0.5, 0.25]}, timeout=30).status_code == 401

    assert last_uses()["revoked"] is None
    assert ask(system, "POST", "/predict", KEYS["predict"]).json()["status"] is True


def test_without_the_database_the_tokens_are_still_known(system: System) -> None:
    tables = ("inference_accesstoken", "nowhere")
    execute(system, "ALTER TABLE {} RENAME TO {}".format(*tables))
    try:
        time_of_last_reading = time.monotonic() + 1.5
        while time.monotonic() < time_of_last_reading:
            assert ask(system, "POST", "/predict", KEYS["predict"]).json()["status"] is True
            assert ask(system, "POST", "/predict", "a made-up key").status_code == 401
    finally:
        execute(system, "ALTER TABLE {1} RENAME TO {0}".format(*tables))


def test_who_asked_is_on_record_by_the_tokens_name(system: System) -> None:
    version = ask(system, "GET", f"/networks/{FIRST.nn_id}/versions/1", KEYS["status"]).json()

    first = version["activations"][-1]
    assert (first["kind"], first["requested_by"]) == ("upload", "all")


def test_too_many_weight_changes_are_told_to_wait(system: System) -> None:
    """20 an hour, of each token, in each process."""
    answers = [ask(system, "PUT", "/set_weights", KEYS["weights"]) for _ in range(PROCESSES * 20 + 1)]

    assert {each.status_code for each in answers} == {400, 429}
    limited = next(each for each in answers if each.status_code == 429)
    assert int(limited.headers["Retry-After"]) > 1
    assert limited.json()["status"] is False
    assert ask(system, "PUT", "/set_weights", KEYS["all"]).status_code == 400


def test_who_comes_by_the_unix_socket_needs_a_token_too(system: System) -> None:
    def status(*headers: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(system.directory / "socket"))
            connection.sendall(request("GET /networks HTTP/1.1", b"", "Connection: close", *headers))
            return connection.recv(12)

    assert status() == b"HTTP/1.1 401"
    assert status(f"Authorization: Token {KEYS['status']}") == b"HTTP/1.1 200"


def test_every_kind_of_answer_tells_browsers_what_they_may_not_do(system: System) -> None:
    good = f"Authorization: Token {KEYS['all']}"
    last = "Connection: close"
    kinds = {
        "200": request("GET /networks HTTP/1.1", b"", last, good),
        "401": request("GET /networks HTTP/1.1", b"", last),
        "404": request("GET /nowhere HTTP/1.1", b"", last),
        "405": request("GET /predict HTTP/1.1", b"", last, good),
        "403": request("POST /predict HTTP/1.1", b"", last, good, "Sec-Fetch-Site: cross-site"),
        "302": request("GET /admin/ HTTP/1.1", b"", last),
        "400": request("GET /networks HTTP/1.1", b"", "Bro ken: yes"),
        "431": request("GET /networks HTTP/1.1", b"", "X-A: " + "a" * 20_000),
        "408": b"POST /predict HT",
    }
    for status, sent in kinds.items():
        [answer] = exchange(system, sent)
        headers = dict(answer.headers)
        assert answer.status == status
        assert {name: headers.get(name.lower()) for name in EVERYWHERE} == EVERYWHERE
        assert POLICY.lower() in headers
        assert headers.get("server", "gunicorn") == "gunicorn"
    form = requests.get(f"{system.url}/admin/login/", timeout=30)
    assert "script-src 'self'" in form.headers[POLICY]
    assert {"csrftoken"} == set(form.cookies.keys())
