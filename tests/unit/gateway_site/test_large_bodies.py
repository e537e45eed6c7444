"""How many bytes of large predictions are held at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import pytest

from gateway_site import large_bodies
from gateway_site.large_bodies import LargeBodies, NoRoomError


class PretendedClient:
    cut = False

    def cut_off(self) -> None:
        self.cut = True


def room(bodies: LargeBodies, size: int, arriving: bool = True) -> AbstractContextManager[None]:
    return bodies.room(size, PretendedClient(), lambda: arriving)


def test_so_many_bytes_have_room_and_no_more_until_some_are_answered() -> None:
    bodies = LargeBodies(100)
    with room(bodies, 60), room(bodies, 40):
        with pytest.raises(NoRoomError), room(bodies, 1):
            pytest.fail("there is no room")
        assert bodies.held_bytes == 100
    with room(bodies, 100):
        assert bodies.held_bytes == 100
    assert bodies.held_bytes == 0


def test_one_that_has_been_arriving_for_long_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies, slow, there = LargeBodies(100), PretendedClient(), PretendedClient()
    with ExitStack() as held:
        held.enter_context(bodies.room(50, there, lambda: False))
        held.enter_context(bodies.room(50, slow, lambda: True))
        monkeypatch.setattr(large_bodies, "SLOW_SECONDS", 0.0)
        with room(bodies, 50, arriving=False):
            assert (there.cut, slow.cut) == (False, True)
            with pytest.raises(NoRoomError):
                held.enter_context(room(bodies, 51))
    assert bodies.held_bytes == 0


def test_an_error_gives_the_room_back() -> None:
    bodies = LargeBodies(100)
    with pytest.raises(RuntimeError), room(bodies, 100):
        raise RuntimeError
    assert bodies.held_bytes == 0
