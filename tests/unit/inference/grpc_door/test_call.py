"""What each call passes: rights before its message is read, errors as codes, its count."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings
from grpc import StatusCode, aio

from inference.access import failures, requirement
from inference.access.rights import EVERYBODY, PREDICT
from inference.errors import BusyError, ConflictError, InferenceError, PredictionFailedError, TooManyRequestsError
from inference.grpc_door.call import ARRIVING_MAX, ARRIVING_UNASKED_MAX, PREDICTS, Call, Shared
from inference.grpc_door.codes import TEXT_BYTES_MAX
from inference.grpc_door.rpc_asks import RpcAsks
from inference.http.large_bodies import LargeBodies
from inference.monitoring import observations
from tests.unit.pretended_gateway import PretendedGateway


class AbortedError(Exception):
    """As gRPC ends a call."""


class PretendedContext:
    """A call that has come, with its message, or without one."""

    def __init__(self, message: Any = b"asked", metadata: tuple[tuple[str, str], ...] = (), left: Any = None) -> None:
        self.message, self.metadata, self.left = message, metadata, left
        self.reads = 0
        self.ended: tuple[StatusCode, str] | None = None
        self.trailing: dict[str, str] = {}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self.metadata

    def peer(self) -> str:
        return "ipv4:192.0.2.1:50000"

    def set_trailing_metadata(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self.trailing = dict(metadata)

    def time_remaining(self) -> float | None:
        return self.left  # type: ignore[no-any-return]

    async def read(self) -> Any:
        self.reads += 1
        if self.message is None:
            await asyncio.Event().wait()
        return self.message

    async def abort(self, code: StatusCode, text: str) -> None:
        self.ended = code, text
        raise AbortedError


def made(
    context: PretendedContext, error: BaseException | None = None, right: str = PREDICT, name: str = "Asked"
) -> bytes | None:
    """The answer to a call, which fails by that; None when it was ended."""

    async def answer(asks: RpcAsks, message: bytes, seconds: float | None) -> bytes:
        if error is not None:
            raise error
        return message + f" {seconds}".encode()

    observations.requests.clear()
    try:
        return asyncio.run(_answered(name, right, answer, context))
    except AbortedError:
        return None


async def _answered(name: str, right: str, answer: Any, context: Any) -> bytes:
    return await Call(name, right, answer, Shared(LargeBodies(), 0.01)).answer(context, context)


def counted() -> list[tuple[str, str, str]]:
    return [each[:3] for each in observations.requests]


@pytest.fixture(autouse=True)
def _gateway(gateway: PretendedGateway) -> None:
    pass


def test_an_answer_has_its_id_and_is_counted() -> None:
    context = PretendedContext(metadata=(("x-request-id", "mine"),), left=2.5)

    assert made(context) == b"asked 2.5"
    assert context.trailing == {"x-request-id": "mine"}
    assert counted() == [("grpc Asked", "POST", "200")]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BusyError("full"), StatusCode.UNAVAILABLE, "503"),
        (ConflictError("not now"), StatusCode.FAILED_PRECONDITION, "409"),
        (TooManyRequestsError("more than you may", 2), StatusCode.RESOURCE_EXHAUSTED, "429"),
        (PredictionFailedError("a.b.RowsError: two", is_rows_fault=True), StatusCode.INVALID_ARGUMENT, "400"),
        (PredictionFailedError("a.b.OtherError: two"), StatusCode.INTERNAL, "500"),
    ],
)
def test_an_error_has_its_code_and_its_text(error: InferenceError, code: StatusCode, status: str) -> None:
    context = PretendedContext()

    assert made(context, error) is None
    assert context.ended is not None
    assert context.ended[0] == code
    assert str(error).removeprefix("a.b.") in context.ended[1]
    assert counted() == [("grpc Asked", "POST", status)]


def test_a_defect_tells_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    context = PretendedContext()

    assert made(context, KeyError("secret")) is None
    assert context.ended == (StatusCode.INTERNAL, "internal error; the log tells more")
    assert "secret" in caplog.text


def test_a_long_text_fits_into_a_header() -> None:
    context = PretendedContext()

    made(context, ConflictError("ü" * 10_000))

    assert context.ended is not None
    assert len(context.ended[1].encode()) == TEXT_BYTES_MAX


def test_without_a_token_nothing_is_read() -> None:
    requirement.listen_at([("192.0.2.1", 50051)])
    failures._buckets.cache_clear()
    context = PretendedContext()

    with override_settings(PIPELINE_THROTTLE_FAILURES=None):
        assert made(context) is None
    failures._buckets.cache_clear()

    assert context.ended is not None
    assert context.ended[0] == StatusCode.UNAUTHENTICATED
    assert context.reads == 0


def test_a_full_gateway_reads_no_prediction(gateway: PretendedGateway) -> None:
    gateway.dispatcher.admission.full = True
    context = PretendedContext()

    assert made(context, name=PREDICTS) is None
    assert context.ended == (StatusCode.UNAVAILABLE, "Server is busy")
    assert context.reads == 0
    assert made(context) is not None  # what tells of networks is no prediction


def test_a_message_that_does_not_come_is_not_waited_for() -> None:
    context = PretendedContext(message=None)

    assert made(context) is None
    assert context.ended is not None
    assert context.ended[0] == StatusCode.DEADLINE_EXCEEDED


def test_a_call_without_a_message_is_refused() -> None:
    context = PretendedContext(message=aio.EOF)

    assert made(context) is None
    assert context.ended == (StatusCode.INVALID_ARGUMENT, "the call has no message")


@pytest.mark.parametrize(("left", "status"), [(None, "499"), (3.0, "499"), (0, "504")])
def test_a_call_that_its_client_ends_is_counted(left: float | None, status: str) -> None:
    with pytest.raises(asyncio.CancelledError):
        made(PretendedContext(left=left), asyncio.CancelledError())

    assert counted() == [("grpc Asked", "POST", status)]


def test_an_answer_waits_while_none_may_leave() -> None:
    async def answer(asks: RpcAsks, message: bytes, seconds: float | None) -> bytes:
        return message

    async def run() -> bytes:
        shared = Shared(LargeBodies(), 1.0)
        shared.may_answer.clear()
        context: Any = PretendedContext()
        call = asyncio.create_task(Call("Asked", PREDICT, answer, shared).answer(context, context))
        await asyncio.sleep(0.01)
        assert not call.done()
        shared.may_answer.set()
        return await call

    assert asyncio.run(run()) == b"asked"


@pytest.mark.parametrize(("right", "most"), [(PREDICT, ARRIVING_MAX), (EVERYBODY, ARRIVING_UNASKED_MAX)])
def test_of_messages_that_arrive_slowly_there_are_few_at_a_time(right: str, most: int) -> None:
    async def answer(asks: RpcAsks, message: bytes, seconds: float | None) -> bytes:
        return message

    async def run() -> int:
        shared = Shared(LargeBodies(), 60.0)
        contexts: list[Any] = [PretendedContext(message=None) for _ in range(most + 5)]
        calls = [asyncio.create_task(Call("Asked", right, answer, shared).answer(each, each)) for each in contexts]
        for _ in range(5):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return sum(each.reads for each in contexts)

    assert asyncio.run(run()) == most
