"""What is read of networks, versions and activations, and what a rollback leads to."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import ConflictError, NotFoundError
from inference.models import Activation, Version
from inference.versions import history, services
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation

pytestmark = pytest.mark.django_db
ACTIVATE, ROLLBACK = Activation.Kind.ACTIVATE, Activation.Kind.ROLLBACK


def store(nn_id: str = NN_ID) -> Version:
    number = Version.objects.count()
    return store_version(nn_id, "weights.b64", f"weights {number}".encode(), b"{}")


@pytest.fixture
def three() -> list[Version]:
    """Versions 1, 2 and 3, each uploaded and made active."""
    return [activated(store()).version for _ in range(3)]


def roll_back() -> int:
    """Roll back as the switch does; the number of what is active then."""
    version = history.version_before(NN_ID)
    activated(version, ROLLBACK)
    return version.number


def try_to_roll_back() -> int | None:
    try:
        return roll_back()
    except ConflictError:
        return None


def roll_all_back() -> list[int]:
    """Roll back until there is nothing to roll back to; what each led to."""
    led_to: list[int] = []
    while (number := try_to_roll_back()) is not None:
        led_to.append(number)
        assert len(led_to) < 30, f"rollbacks do not end: {led_to}"
    return led_to


class Undo:
    """What rolling back promises, in memory: each step that changes what is active remembers what was before it."""

    def __init__(self) -> None:
        self.active: int | None = None
        self.deleted: set[int] = set()
        self._before: list[int | None] = []

    def step(self, number: int) -> None:
        self._before.append(self.active)
        self.active = number

    def undo(self) -> int | None:
        """What is active after a rollback; None when there is nothing to roll back to, and nothing changes."""
        left = list(self._before)
        while left:
            before = left.pop()
            if before is not None and before not in {*self.deleted, self.active}:
                self._before, self.active = left, before
                return before
        return None


def test_networks_are_listed_by_name_with_what_the_list_shows(django_assert_num_queries: Any) -> None:
    activated(store(OTHER_NN_ID))
    latest = activated(store(OTHER_NN_ID)).version
    only = store()

    with django_assert_num_queries(1):
        found = [
            (one.nn_id, one.active, one.versions_count, one.last_upload, one.is_default) for one in history.networks()
        ]

    assert found == [(NN_ID, None, 1, only.uploaded_at, False), (OTHER_NN_ID, latest, 2, latest.uploaded_at, True)]


def test_what_is_not_there_says_where_to_look(three: list[Version]) -> None:
    with pytest.raises(NotFoundError, match=f"no network {OTHER_NN_ID}: GET /networks lists"):
        history.network(OTHER_NN_ID)
    with pytest.raises(NotFoundError, match=f"no version 4 of network {NN_ID}: GET /networks/{NN_ID} lists"):
        history.version(NN_ID, 4)
    with pytest.raises(NotFoundError):
        history.version_before(OTHER_NN_ID)


def test_activations_come_newest_first_with_their_reports(three: list[Version], django_assert_num_queries: Any) -> None:
    for _ in range(3):
        failed_activation(three[0])
    activated(three[0], ACTIVATE)

    with django_assert_num_queries(2):
        found = history.activations(three[0], 3)
        told = [(one.kind, one.outcome, one.previous and one.previous.number, len(one.reports.all())) for one in found]

    assert told == [("activate", "activated", 3, 1), ("upload", "failed", 3, 1), ("upload", "failed", 3, 1)]


def test_rolling_back_again_leads_further_back_until_nothing_was_before(three: list[Version]) -> None:
    assert [roll_back(), roll_back()] == [2, 1]
    with pytest.raises(ConflictError, match="nothing to roll back to: no version was active before"):
        roll_back()


def test_what_failed_in_between_is_no_step_back(three: list[Version]) -> None:
    failed_activation(store())

    assert roll_back() == 2


def test_activating_the_active_version_again_is_no_step(three: list[Version]) -> None:
    activated(three[2], ACTIVATE)

    assert roll_back() == 2


@pytest.mark.parametrize("number", [1, 2])
def test_an_activation_of_an_earlier_version_is_one_step_more_to_take_back(number: int, three: list[Version]) -> None:
    activated(three[number - 1], ACTIVATE)

    assert roll_all_back() == [3, 2, 1]


def test_rollbacks_never_go_in_a_circle() -> None:
    first, _ = [activated(store()).version for _ in range(2)]
    activated(first, ACTIVATE)

    assert roll_all_back() == [2, 1]


def test_what_comes_after_a_rollback_is_a_step_from_what_is_active_then(three: list[Version]) -> None:
    assert [roll_back(), roll_back()] == [2, 1]
    activated(three[2], ACTIVATE)
    activated(store())

    assert roll_all_back() == [3, 1]


def test_two_rollbacks_at_once_take_back_one_step(three: list[Version]) -> None:
    target = history.version_before(NN_ID)
    activated(target, ROLLBACK)
    activated(target, ROLLBACK)

    assert roll_all_back() == [1]


def test_a_step_during_a_rollback_is_taken_back_with_it(three: list[Version]) -> None:
    rollback = services.begin(history.version_before(NN_ID), ROLLBACK, "a test")
    activated(store())
    services.commit(rollback)

    assert roll_all_back() == [1]


def test_steps_count_in_the_order_in_which_they_ended(three: list[Version]) -> None:
    began_first = services.begin(three[0], ACTIVATE, "a test")
    activated(three[1], ACTIVATE)
    services.commit(began_first)

    assert roll_all_back() == [2, 3, 2, 1]


def test_other_networks_and_their_steps_are_not_in_the_way(three: list[Version]) -> None:
    for _ in range(2):
        activated(store(OTHER_NN_ID))

    assert roll_all_back() == [2, 1]


def test_rollbacks_by_the_rule_of_earlier_gateways_are_no_trap(three: list[Version]) -> None:
    activated(three[1], ACTIVATE)
    for number in (3, 2, 3, 2, 3):
        activated(three[number - 1], ROLLBACK)

    assert roll_all_back() == [2, 1]


def test_a_long_history_is_read_in_as_many_queries_as_a_short_one(
    three: list[Version], django_assert_num_queries: Any
) -> None:
    Activation.objects.bulk_create(
        Activation(version=three[number % 2], kind=ACTIVATE, seconds=0.5, outcome=Activation.Outcome.ACTIVATED)
        for number in range(10_000)
    )
    activated(three[2])

    with django_assert_num_queries(3) as captured:
        assert history.version_before(NN_ID).number == 2

    assert f"LIMIT {history.LATEST_ACTIVATIONS}" in captured.captured_queries[1]["sql"]


def test_what_lies_before_the_latest_activations_is_read_when_these_do_not_tell(
    three: list[Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LATEST_ACTIVATIONS", 4)
    monkeypatch.setattr(history, "AT_ONCE_MAX", 1)
    for _ in range(5):
        activated(three[2], ACTIVATE)

    assert roll_all_back() == [2, 1]


@given(
    st.lists(st.sampled_from(["upload", "fail", "rollback"]) | st.integers(1, 6) | st.integers(-6, -1), max_size=25),
    st.sampled_from([(1, 0), (2, 0), (3, 0), (4, 2), (6, 1), (1000, 100)]),
)
def test_rollbacks_take_back_step_by_step_whatever_came_before(acts: list[str | int], read: tuple[int, int]) -> None:
    """Positive numbers activate that version, negative ones delete it."""
    with transaction.atomic(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(history, "LATEST_ACTIVATIONS", read[0])
        patched.setattr(history, "AT_ONCE_MAX", read[1])
        stored, model = [activated(store()).version], Undo()
        model.step(1)
        for act in acts:
            if act == "upload":
                stored.append(activated(store()).version)
                model.step(len(stored))
            elif act == "fail":
                failed_activation(store())
                stored.append(Version.objects.get(number=len(stored) + 1))
            elif act == "rollback":
                assert try_to_roll_back() == model.undo()
            elif isinstance(act, int) and abs(act) <= len(stored) and abs(act) not in {*model.deleted, model.active}:
                if act > 0:
                    activated(stored[act - 1], ACTIVATE)
                    model.step(act)
                else:
                    services.delete_version(NN_ID, -act, "a test")
                    model.deleted.add(-act)
        assert roll_all_back() == list(iter(model.undo, None))
        transaction.set_rollback(True)


def test_a_deleted_version_is_passed_over(three: list[Version]) -> None:
    services.delete_version(NN_ID, 2, "a test")

    assert roll_back() == 1


def test_a_chain_of_deleted_versions_that_leads_in_a_circle_ends() -> None:
    first, second = activated(store()).version, activated(store()).version
    activated(first, ACTIVATE)
    services.delete_version(NN_ID, second.number, "a test")

    with pytest.raises(ConflictError, match="nothing to roll back to"):
        roll_back()


def test_without_an_active_version_there_is_nothing_to_roll_back_from() -> None:
    store()

    with pytest.raises(ConflictError, match="has no active version"):
        roll_back()
