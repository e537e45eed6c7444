"""How many bytes of large predictions are held at a time, and who makes room for others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inference.errors import BusyError
from inference.http import large_bodies, loop_routes
from inference.http.bodies.request_body import SMALL_BYTES, Message
from inference.http.large_bodies import LARGEST_BODIES, LargeBodies
from inference.http.loop_request import LoopRequest
from tests.unit.asking import DEADLINE, Asked, SlowClient, answer_all, application
from tests.unit.inference.http.predicting import ROW, answer_of
from tests.unit.pretended_gateway import PretendedGateway

#: The largest body of these tests, and so many bytes of the large ones have room.
LARGEST = 2 * SMALL_BYTES
ROOM = LARGEST_BODIES * LARGEST
LARGE_ROW = ROW + b" " * (LARGEST - len(ROW))


@pytest.fixture(autouse=True)
def bodies(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> LargeBodies:
    """Those of the application, with room for little."""
    settings.PIPELINE_MAX_BODY_BYTES = LARGEST
    bodies = LargeBodies()
    monkeypatch.setattr(loop_routes, "LargeBodies", lambda: bodies)
    return bodies


@contextmanager
def everything_is_slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is still arriving has been for long."""
    with monkeypatch.context() as patch:
        patch.setattr(large_bodies, "SLOW_SECONDS", -1.0)
        yield


def client(ended: bool = False, cut_off: Callable[[], object] = lambda: None) -> LoopRequest:
    """A request whose body is there as a whole, or not."""
    asked = Asked(body=b"{}")
    asked.exchange.cut_off = cut_off  # type: ignore[method-assign, assignment]
    request = asked.on_loop()
    request.body.ended = ended
    return request


def test_so_many_bytes_have_room_and_no_more_until_some_are_answered(bodies: LargeBodies) -> None:
    async def hold() -> None:
        async with bodies.room(ROOM - 40, client()), bodies.room(40, client()):
            with pytest.raises(BusyError, match=r"^Server is busy$"):
                async with bodies.room(1, client()):
                    pytest.fail("there is no room")
            assert bodies.held_bytes == ROOM
        async with bodies.room(ROOM, client()):
            assert bodies.held_bytes == ROOM
        assert bodies.held_bytes == 0

    asyncio.run(hold())


def test_those_that_have_been_arriving_for_long_make_room_and_no_others(
    bodies: LargeBodies, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    async def hold() -> None:
        async with AsyncExitStack() as held:

            async def come(name: str, size: int, ended: bool = False) -> None:
                await held.enter_async_context(bodies.room(size, client(ended, lambda: cut.append(name))))

            await come("there", ROOM // 2, ended=True)
            for name in ("first", "second", "third"):
                await come(name, ROOM // 8)
            with everything_is_slow(monkeypatch):
                await come("fits", ROOM // 8)
                assert cut == []
                await come("large", ROOM // 4, ended=True)
                assert cut == ["first", "second"]
                await come("larger", ROOM // 4, ended=True)
                assert cut == ["first", "second", "third", "fits"]
                with pytest.raises(BusyError):
                    await come("one more", 1)
        assert bodies.held_bytes == 0

    asyncio.run(hold())


def test_an_error_gives_the_room_back(bodies: LargeBodies) -> None:
    async def fail() -> None:
        async with bodies.room(ROOM, client()):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(fail())
    assert bodies.held_bytes == 0


def test_they_are_parsed_one_at_a_time_and_beside_the_loop(bodies: LargeBodies) -> None:
    begun: list[int] = []
    may_end = threading.Event()

    def parse(number: int) -> int:
        begun.append(number)
        assert may_end.wait(DEADLINE)
        return number

    async def parse_two() -> list[int]:
        both = [asyncio.create_task(bodies.parse(lambda number=number: parse(number))) for number in (1, 2)]  # type: ignore[misc]
        while not begun:
            await asyncio.sleep(0.001)  # the loop goes on meanwhile
        for _ in range(10):
            await asyncio.sleep(0.001)
        assert begun == [1]
        may_end.set()
        return await asyncio.gather(*both)

    assert asyncio.run(parse_two()) == [1, 2]
    assert begun == [1, 2]


# As clients see it.


@pytest.mark.parametrize("says_its_length", [True, False])
def test_so_many_of_the_largest_are_held_until_they_are_answered_and_one_more_is_503(
    says_its_length: bool, gateway: PretendedGateway, bodies: LargeBodies, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    predict, refused = gateway.dispatcher.predict, asyncio.Event()

    async def predict_later(*about: Any) -> Any:
        await asyncio.wait_for(refused.wait(), DEADLINE)
        return await predict(*about)

    class Client(Asked):
        async def send(self, message: Message) -> None:
            refused.set()
            await super().send(message)

    monkeypatch.setattr(gateway.dispatcher, "predict", predict_later)
    pieces = [LARGE_ROW[: SMALL_BYTES + 1], LARGE_ROW[SMALL_BYTES + 1 :]]
    about: dict[str, Any] = {"body": LARGE_ROW} if says_its_length else {"pieces": pieces}
    clients = [Client(**about) for _ in range(LARGEST_BODIES + 1)]
    answer_all(*clients)

    assert [each.answered.status_code for each in clients] == [200] * LARGEST_BODIES + [503]
    assert clients[-1].answered.headers["Retry-After"] == "1"
    assert clients[-1].answered.json() == {"status": False, "message": "Server is busy"}
    assert bodies.held_bytes == 0


def test_small_ones_have_room_all_the_same(gateway: PretendedGateway, bodies: LargeBodies) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    small = [Asked(body=ROW), Asked(pieces=[ROW]), Asked(pieces=[ROW + b" " * (SMALL_BYTES - len(ROW))])]

    async def ask() -> None:
        async with bodies.room(ROOM, client(ended=True)):
            with application() as answers:
                for asked in small:
                    await answers(asked.scope, asked.receive, asked.send)

    asyncio.run(ask())
    assert [each.answered.status_code for each in small] == [200] * len(small)


def test_whoever_announces_much_and_sends_little_keeps_nobody_out(
    gateway: PretendedGateway, bodies: LargeBodies, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    slow = [SlowClient(pieces=[ROW, LARGE_ROW[len(ROW) :]]) for _ in range(LARGEST_BODIES)]
    at_once, later = Asked(body=LARGE_ROW), Asked(body=LARGE_ROW)

    async def ask() -> None:
        with application() as answers:
            waiting = [asyncio.create_task(answers(each.scope, each.receive, each.send)) for each in slow]
            for each in slow:
                await asyncio.wait_for(each.is_waited_for.wait(), DEADLINE)
            await answers(at_once.scope, at_once.receive, at_once.send)
            with everything_is_slow(monkeypatch):
                await answers(later.scope, later.receive, later.send)
            for each in slow:
                each.goes_on.set()
            await asyncio.gather(*waiting)

    asyncio.run(ask())
    assert (at_once.answered.status_code, later.answered.status_code) == (503, 200)
    assert [each.answered.status_code for each in slow] == [408] + [200] * (LARGEST_BODIES - 1)
    assert slow[0].answered.json() == {"status": False, "message": "cut off"}
    assert bodies.held_bytes == 0
