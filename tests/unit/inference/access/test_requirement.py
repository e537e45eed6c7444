"""Where tokens are required, and where nobody may listen without them."""

from __future__ import annotations

from typing import Any

import pytest
from environs import EnvError

from inference.access.requirement import OpenBindError, Requirement, is_loopback, listen_at, tokens_required

LOOPBACK: list[Any] = [
    ("127.0.0.1", 80),
    ("127.9.9.9", 80),
    ("::1", 80, 0, 0),
    ("localhost", 80),
    ("::ffff:127.0.0.1", 80),
]
BEYOND: list[Any] = [
    ("0.0.0.0", 80), ("::", 80, 0, 0), ("192.0.2.1", 80), ("", 80), ("gateway.example.com", 80), ("::ffff:0.0.0.0", 80),
    "/run/pipeline.sock", b"\0abstract", 3,
]  # fmt: skip


@pytest.mark.parametrize("address", LOOPBACK)
def test_only_this_machine_reaches_loopback(address: Any) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", BEYOND)
def test_others_may_reach_everything_else(address: Any) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("require", "allow_open", "on_loopback", "beyond"),
    [
        (None, False, False, True),
        (None, True, False, True),
        (True, False, True, True),
        (True, True, True, True),
        (False, False, False, True),
        (False, True, False, False),
    ],
)
def test_tokens_are_required_beyond_loopback(
    require: bool | None, allow_open: bool, on_loopback: bool, beyond: bool
) -> None:
    said = Requirement(require, allow_open)

    assert [said.required([address]) for address in LOOPBACK] == [on_loopback] * len(LOOPBACK)
    assert [said.required([address]) for address in BEYOND] == [beyond] * len(BEYOND)
    assert said.required([*LOOPBACK, BEYOND[0]]) == beyond
    assert said.required(None) == beyond


@pytest.mark.parametrize("require", [None, True])
def test_with_tokens_a_gateway_listens_anywhere(require: bool | None) -> None:
    Requirement(require, False).refuse_open(BEYOND)


def test_without_tokens_only_on_loopback_unless_that_is_meant() -> None:
    Requirement(False, False).refuse_open(LOOPBACK)
    Requirement(False, True).refuse_open(BEYOND)

    with pytest.raises(OpenBindError, match=r"192.0.2.1:80: .* set PIPELINE_ALLOW_OPEN=true"):
        Requirement(False, False).refuse_open([*LOOPBACK, ("192.0.2.1", 80)])


def test_a_process_goes_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not tokens_required()
    monkeypatch.setenv("PIPELINE_REQUIRE_TOKEN", "true")
    listen_at([("127.0.0.1", 80)])
    assert tokens_required()


def test_a_server_that_does_not_say_where_it_listens_is_not_open() -> None:
    listen_at(None)

    assert tokens_required()


def test_what_cannot_be_read_is_said_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_REQUIRE_TOKEN", "perhaps")

    with pytest.raises(EnvError, match="PIPELINE_REQUIRE_TOKEN"):
        Requirement.read()
