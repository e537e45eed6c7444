"""The admin's login form takes few wrong passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from inference.access import login
from inference.access.buckets import Rate

PASSWORD = "a long enough secret"
FORM = "/admin/login/"


@pytest.fixture(autouse=True)
def somebody(db: None, settings: Settings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_superuser("somebody", password=PASSWORD)
    login._limits.cache_clear()
    yield
    login._limits.cache_clear()


def log_in(password: str, user: str = "somebody", address: str = "192.0.2.1", **more: str) -> Any:
    return Client().post(FORM, {"username": user, "password": password}, REMOTE_ADDR=address, **more)


def test_after_five_wrong_passwords_the_right_one_has_to_wait() -> None:
    wrong = [log_in("wrong", user) for user in ("somebody", "SOMEBODY", "somebody", "Somebody", "somebody")]
    late = log_in(PASSWORD)

    assert [each.status_code for each in wrong] == [200] * 5
    assert late.status_code == 429
    assert "Too many wrong passwords from your address: wait" in late.content.decode()


def test_others_do_not_wait_for_them() -> None:
    for _ in range(6):
        log_in("wrong")

    assert log_in(PASSWORD, address="192.0.2.2").status_code == 302
    assert log_in("wrong", "somebody else").status_code == 200


def test_right_passwords_are_not_counted() -> None:
    assert [log_in(PASSWORD).status_code for _ in range(8)] == [302] * 8


def test_an_address_that_tries_many_users_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "FROM_AN_ADDRESS", Rate(3, 3600.0))
    tried = [log_in("wrong", f"user {number}").status_code for number in range(4)]

    assert tried == [200, 200, 200, 429]
    assert log_in(PASSWORD).status_code == 429


def test_a_host_has_one_count_for_all_of_its_ipv6_addresses() -> None:
    for number in range(5):
        log_in("wrong", address=f"2001:db8::{number}")

    assert log_in(PASSWORD, address="2001:db8::ffff:1:2").status_code == 429
    assert log_in(PASSWORD, address="2001:db8:0:1::1").status_code == 302


def test_behind_a_proxy_the_address_is_what_the_proxy_says(settings: Settings) -> None:
    settings.PIPELINE_PROXIES = 1
    for number in range(6):
        log_in("wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 192.0.2.50")

    assert log_in(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.50").status_code == 429
    assert log_in(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.50, 192.0.2.51").status_code == 302
