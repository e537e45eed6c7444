"""The commands that activate, roll back, name and label: what they ask, and what they refuse to."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError

from inference.client.http_client import ClientError
from tests.unit.inference.management.pretended_client import TRACE, URL, PretendedClient, run
from tests.unit.samples import NN_ID, OTHER_NN_ID


@pytest.mark.parametrize("network", [NN_ID, "fraud"])
@pytest.mark.parametrize(("command", "more"), [("activate", ["3"]), ("rollback", [])])
def test_a_switch_tells_what_is_active_now_or_why_nothing_has_changed(
    command: str, more: list[str], network: str, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "nn_id": NN_ID, "workers_count": 2, "version": 3, "workers": []}

    assert run(command, network, *more) == f"{NN_ID} version 3 is active, loaded by 2 workers\n"
    assert asked.sent == [(URL, network, *map(int, more))]

    asked.answer = {"status": False, "message": "One failed", "workers": [{"result": False, "trace": TRACE}]}
    with pytest.raises(CommandError, match=r"^One failed: RowsError: three numbers$"):
        run(command, network, *more)

    asked.answer = ClientError("POST was refused with 409: nothing to roll back to")
    with pytest.raises(CommandError, match="409: nothing to roll back to"):
        run(command, network, *more)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("activate", "a b", "1"), "32 lower-case hex digits, .* not 'a b'"),
        (("activate", "..", "1"), "32 lower-case hex digits"),
        (("activate", NN_ID, "0"), "a number from 1 on, not '0'"),
        (("activate", NN_ID, "1.5"), "a number from 1 on"),
        (("activate", NN_ID, "9" * 5000), "a number from 1 on"),
        (("activate", NN_ID, "\u0661"), "a number from 1 on"),
        (("rollback", ""), "32 lower-case hex digits"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_switch_refuses_what_names_no_version(
    command: tuple[str, ...], reason: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*command)
    assert asked.sent == []


@pytest.mark.parametrize(
    ("command", "sent", "answer", "line"),
    [
        (("name_network", NN_ID, "fraud"), (NN_ID, "fraud"), {"name": "fraud"}, f"{NN_ID} is called fraud"),
        (("name_network", "fraud", "new"), ("fraud", "new"), {"name": "new"}, f"{NN_ID} is called new"),
        (("name_network", "fraud", "--none"), ("fraud", None), {"name": None}, f"{NN_ID} has no name"),
        (
            ("label_version", "fraud", "stable", "3"), ("fraud", "stable", 3), {"label": "stable", "version": 3},
            f"stable of {NN_ID} is version 3",
        ),
        (
            ("remove_label", NN_ID, "stable"), (NN_ID, "stable"), {"label": "stable", "version": None},
            f"{NN_ID} has no label stable any more",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) and isinstance(value[-1], str) else "",
)  # fmt: skip
def test_networks_are_named_and_versions_labelled(
    command: tuple[str, ...], sent: tuple[Any, ...], answer: Any, line: str, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "message": "OK", "nn_id": NN_ID, **answer}

    assert run(*command) == f"{line}\n"
    assert asked.sent == [(URL, *sent)]
    asked.answer = ClientError("PUT was refused with 409: the reason")
    with pytest.raises(CommandError, match="409: the reason"):
        run(*command)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("name_network", NN_ID), "required"),
        (("name_network", NN_ID, "fraud", "--none"), "not allowed with"),
        (("name_network", NN_ID, OTHER_NN_ID), "no network's id"),
        (("name_network", NN_ID, "a b"), "not 'a b'"),
        (("name_network", "a b", "fraud"), "not 'a b'"),
        (("label_version", NN_ID, "..", "1"), r"not '\.\.'"),
        (("label_version", NN_ID, "stable", "0"), "a number from 1 on"),
        (("remove_label", NN_ID, ""), "not ''"),
        (("load_weights", "file", "--name", "a/b"), "not 'a/b'"),
        (("predict", "1", "--nn-id", "a b"), "not 'a b'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_name_is_refused_before_anything_is_asked(
    command: tuple[str, ...], reason: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*command)
    assert asked.sent == []
