"""The admin's page of access tokens, and revoking one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from inference.access.keys import digest_of
from inference.models import AccessToken
from tests.unit.admin_samples import person

PAGES = "/admin/inference/accesstoken"


@pytest.fixture
def token(db: None) -> AccessToken:
    used = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    return AccessToken.objects.create(
        name="<b>loader", digest=digest_of("key"), rights="predict,weights", last_used_at=used
    )


def test_a_viewer_sees_what_each_may_do_and_when_it_was_last_used(viewer: Client, token: AccessToken) -> None:
    for path in (f"{PAGES}/", f"{PAGES}/{token.pk}/change/"):
        page = viewer.get(path).content.decode()
        for shown in ("&lt;b&gt;loader", "predict,weights", "2026-03-04 05:06:07"):
            assert shown in page
        assert token.digest not in page


def test_an_operator_is_asked_and_then_revokes_it(operator: Client, token: AccessToken) -> None:
    address = f"{PAGES}/{token.pk}/revoke/"
    assert "Every gateway refuses it within a second" in operator.get(address).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None

    page = operator.post(address, follow=True).content.decode()

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "is revoked" in page
    assert LogEntry.objects.get().change_message == "Revoked."
    assert operator.post(address).status_code == 404
    assert "It is revoked." in operator.get(f"{PAGES}/{token.pk}/change/").content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_revoke_is_refused(method: str, viewer: Client, token: AccessToken) -> None:
    assert getattr(viewer, method)(f"{PAGES}/{token.pk}/revoke/").status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


def test_none_is_made_changed_or_deleted_by_hand(operator: Client, token: AccessToken) -> None:
    assert operator.post(f"{PAGES}/add/", {"name": "x"}).status_code == 403
    assert operator.post(f"{PAGES}/{token.pk}/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"{PAGES}/{token.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AccessToken.objects.get() == token


def test_staff_of_no_group_see_none(token: AccessToken) -> None:
    assert person(None).get(f"{PAGES}/").status_code == 403


@pytest.mark.parametrize("pk", [999, 2**63])
def test_there_is_no_page_for_what_is_not_there(pk: int, operator: Client) -> None:
    assert operator.get(f"{PAGES}/{pk}/revoke/").status_code == 404
