"""What the plain command that starts a worker does by itself."""

from __future__ import annotations

import pytest

from workers import startup


def test_a_node_of_celerys_default_name_gets_one_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "default_nodename", lambda _: "celery@here")

    names = {startup.unique_name("celery@here") for _ in range(10)}

    assert len(names) == 10
    assert all(name.startswith("worker-") and name.endswith("@here") for name in names)


def test_a_node_that_was_given_a_name_keeps_it() -> None:
    assert startup.unique_name("blue@there") == "blue@there"


def test_a_worker_of_its_own_does_not_start_without_a_broker() -> None:
    with pytest.raises(SystemExit, match="BROKER_URL is not set"):
        startup.prepare_command(instance=None)
