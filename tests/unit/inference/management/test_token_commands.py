"""The management commands that make, list and revoke tokens."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inference.access.keys import digest_of
from inference.management.commands import create_token
from inference.models import AccessToken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_token, "KNOWN_SECONDS", 0.0)


def run(name: str, *arguments: Any) -> tuple[str, str]:
    output, errors = StringIO(), StringIO()
    call_command(name, *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def test_the_key_is_printed_once_and_its_digest_is_kept() -> None:
    output, errors = run("create_token", "loader", "--may", "weights,predict")

    token = AccessToken.objects.get()
    assert output.count("\n") == 1
    assert token.digest == digest_of(output.strip())
    assert (token.name, token.rights) == ("loader", "predict,weights")
    assert output.strip() not in errors + repr(vars(token)) + run("tokens")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["loader"], "--may"),
        (["loader", "--may", "everything"], "'everything' is no right: the rights are predict, status"),
        (["", "--may", "predict"], "printable"),
        (["a\nb", "--may", "predict"], "printable"),
        (["x" * 101, "--may", "predict"], "printable"),
    ],
)
def test_what_makes_no_token_is_said(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("create_token", *arguments)
    assert not AccessToken.objects.exists()


def test_a_name_is_given_again_once_its_token_is_revoked() -> None:
    run("create_token", "loader", "--may", "weights")
    with pytest.raises(CommandError, match="revoke_token loader"):
        run("create_token", "loader", "--may", "weights")

    assert "within a second" in run("revoke_token", "loader")[0]
    run("create_token", "loader", "--may", "weights")

    newest, oldest = AccessToken.objects.all()
    assert (newest.revoked_at, oldest.revoked_at is None) == (None, False)
    listed = run("tokens")[0].splitlines()
    assert listed[0].split() == ["NAME", "MAY", "CREATED", "(UTC)", "LAST", "USED", "REVOKED"]
    assert [line.split()[:2] for line in listed[1:]] == [["loader", "weights"]] * 2


def test_only_a_living_token_is_revoked() -> None:
    with pytest.raises(CommandError, match="tokens"):
        run("revoke_token", "nobody")


def test_without_tokens_the_list_says_how_to_make_one() -> None:
    assert "create_token NAME" in run("tokens")[0]
