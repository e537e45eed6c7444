"""Django's door: what Django is told of a request, how it reads the body, and who is cut off while it waits for one."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from gateway_site import asgi
from inference.errors import ClientTimeoutError
from inference.http.bodies.body_limit import BODY
from inference.http.bodies.request_body import SMALL_BYTES, RequestBody
from inference.http.django_door import DjangoDoor, GatewayRequest
from inference.http.doors import Doors
from tests.unit.asking import DEADLINE, Answered, Asked, SlowClient, application, ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID

CHARSETS = ["zlib", "rot13", "punycode", "idna", "undefined", "utf-16", "nonsense", "\xff"]
LARGE = b"x" * (SMALL_BYTES + 1)
GZIP = {"Content-Encoding": "gzip"}
ACTIVATE = f"/networks/{NN_ID}/activate"
Environ = dict[str, Any]


def request_of(content_type: str) -> GatewayRequest:
    return GatewayRequest(
        {
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": "limit=5&name=%C3%A9",
            "CONTENT_TYPE": content_type,
            "wsgi.input": BytesIO(),
        }
    )


@pytest.mark.parametrize("charset", CHARSETS)
def test_text_is_utf_8_whatever_charset_is_named(charset: str) -> None:
    request = request_of(f"text/plain; charset={charset}")

    assert request.GET.dict() == {"limit": "5", "name": "é"}
    assert (request.content_type, request.encoding) == ("text/plain", None)


def test_a_content_type_that_cannot_be_read_is_none() -> None:
    request = request_of("text/plain; name*=idna''%ff")

    assert request.GET.dict() == {"limit": "5", "name": "é"}
    assert (request.content_type, request.META["CONTENT_TYPE"]) == ("", "")


# What Django is given, with an application in its place.


class InItsPlace:
    """A WSGI application that keeps what it is given, and reads of the body what it is told to."""

    def __init__(self, read: Callable[[Any], bytes] = lambda body: body.read()) -> None:
        self.environ: Environ = {}
        self.read = b""
        self._read = read

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environ = environ
        self.read = self._read(environ["wsgi.input"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]


def give(asked: Asked, instead: InItsPlace) -> Answered:
    door = DjangoDoor(instead, 4)  # type: ignore[arg-type]
    asyncio.run(Doors(door)(asked.scope, asked.receive, asked.send))
    door.close()
    return asked.answered


def test_an_answer_that_cannot_be_sent_holds_no_thread() -> None:
    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return (b"piece" for _ in range(100))

    async def refuse(message: Any) -> None:
        raise RuntimeError(f"no {message['type']}")

    door, asked = DjangoDoor(answer, 1), Asked()  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no http"):
            asyncio.run(asyncio.wait_for(Doors(door)({**asked.scope, "path": "/x"}, asked.receive, refuse), DEADLINE))
        asked = Asked()
    door.close()


SMALL_WAYS: list[dict[str, Any]] = [
    {"body": b"0123456789"},
    {"pieces": [b"0123", b"456789", b""]},
    {"pieces": [b"0123456789"], "headers": {"Content-Length": "10"}},
    {"body": gzip.compress(b"0123456789"), "headers": GZIP},
    {"pieces": [gzip.compress(b"0123456789")], "headers": GZIP},
    {"body": b"0123456789", "headers": {"Content-Encoding": "identity"}},
]


@pytest.mark.parametrize("way", SMALL_WAYS)
def test_of_a_small_body_it_is_told_the_length_that_it_has(way: dict[str, Any]) -> None:
    instead = InItsPlace()
    assert give(Asked("/set_weights", **way), instead).content == b"done"

    assert (instead.environ["CONTENT_LENGTH"], instead.read) == ("10", b"0123456789")


@pytest.mark.parametrize("way", [*SMALL_WAYS, {"body": LARGE}, {"pieces": [LARGE, LARGE]}])
def test_it_is_not_told_how_the_body_came(way: dict[str, Any]) -> None:
    instead = InItsPlace()
    give(Asked("/set_weights", **way), instead)

    assert not {"HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_CONTENT_LENGTH"} & instead.environ.keys()
    assert "," not in instead.environ["CONTENT_LENGTH"]


def test_of_a_large_one_that_says_so_it_is_told_the_length_and_reads_it_as_it_comes() -> None:
    asked, instead = Asked("/set_weights", pieces=[LARGE, b"end"], headers={"Content-Length": "65540"}), InItsPlace()
    give(asked, instead)

    assert (instead.environ["CONTENT_LENGTH"], instead.read) == ("65540", LARGE + b"end")


@pytest.mark.parametrize("coding", [{}, GZIP])
@pytest.mark.parametrize(
    ("content_type", "most"), [("application/json", 1_000_000), ("", 1_000_000), ("Multipart/form-data", 2_000_000)]
)
def test_of_a_large_one_that_does_not_say_it_is_told_the_most_that_there_may_be(
    content_type: str, most: int, coding: dict[str, str], settings: Settings
) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES, settings.PIPELINE_MAX_BODY_BYTES = 2_000_000, 1_000_000
    content = LARGE * 3
    sent = gzip.compress(content) if coding else content
    instead, headers = InItsPlace(), {"Content-Type": content_type, **coding}
    give(Asked("/set_weights", pieces=[sent[:99], sent[99:-9], sent[-9:]], headers=headers), instead)

    assert (int(instead.environ["CONTENT_LENGTH"]), instead.read) == (most, content)


def test_a_large_one_is_not_read_before_the_view_reads_it() -> None:
    asked = Asked("/set_weights", pieces=[b"0123456789", *[LARGE] * 9], headers={"Content-Length": "589843"})
    instead = InItsPlace(lambda body: bytes(body.read(4)))
    give(asked, instead)

    assert instead.read == b"0123"
    assert asked.pieces == [LARGE] * 9


@pytest.mark.parametrize("over", [0, 1])
def test_none_is_read_beyond_the_most_that_there_may_be_nor_cut_there(over: int, settings: Settings) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = 4 * len(LARGE)
    instead = InItsPlace(lambda body: bytes(body.read(4 * len(LARGE))))
    answered = give(Asked("/set_weights", pieces=[*[LARGE] * 4, b"x" * over]), instead)

    assert answered.status_code == (500 if over else 200)  # nobody has caught it in Django's place
    assert instead.read == (b"" if over else LARGE * 4)


def test_the_request_is_told_with_all_that_it_says() -> None:
    instead = InItsPlace()
    more = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-latin", b"caf\xe9")]
    give(Asked("/a%2Fb é?limit=5&a=%20b", b"{}", "PUT", more_headers=more, client="192.0.2.7", scheme="https"), instead)

    environ = instead.environ
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a%2Fb é"
    assert environ.items() >= {
        "REQUEST_METHOD": "PUT", "QUERY_STRING": "limit=5&a=%20b", "CONTENT_TYPE": "application/json",
        "HTTP_X_A": "1,2", "HTTP_X_LATIN": "caf\xe9", "HTTP_HOST": "testserver", "REMOTE_ADDR": "192.0.2.7",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "54321", "wsgi.url_scheme": "https", "CONTENT_LENGTH": "2",
    }.items()  # fmt: skip
    assert isinstance(environ["asgi.scope"]["state"][BODY], RequestBody)


# A body that cannot be read, as Django's views answer it.


@pytest.mark.parametrize(
    ("about", "status", "says"),
    [
        ({"pieces": [b"{}"], "headers": {"Content-Length": "12"}}, 400, "10 bytes are missing"),
        ({"pieces": [b"{}", b""], "fault": ClientTimeoutError("too slow")}, 408, "too slow"),
        ({"body": b"{}", "headers": GZIP}, 400, "is not compressed"),
        ({"body": b"{}", "headers": {"Content-Encoding": "br"}}, 415, "'br' is not read here"),
    ],
)
@pytest.mark.parametrize("path", ["/status", "/nowhere", "/admin/login/", "/set_weights"])
def test_a_small_body_that_cannot_be_read_is_refused_before_django_is_asked(
    path: str, about: dict[str, Any], status: int, says: str, gateway: PretendedGateway
) -> None:
    answered = ask(path, **about)

    assert answered.status_code == status
    assert answered.json()["status"] is False
    assert says in answered.json()["message"]


# Who is waited for.


def test_a_small_body_that_does_not_come_takes_no_thread(gateway: PretendedGateway) -> None:
    slow = [SlowClient(ACTIVATE, [b"{", b"}"]) for _ in range(9)]
    large_one, quick = SlowClient(ACTIVATE, [LARGE, b"}"]), Asked("/healthz", method="GET")

    async def answer() -> None:
        with application(threads=2) as answers:
            waiting = [asyncio.create_task(answers(each.scope, each.receive, each.send)) for each in (*slow, large_one)]
            for each in (*slow, large_one):
                await asyncio.wait_for(each.is_waited_for.wait(), DEADLINE)
            await asyncio.wait_for(answers(quick.scope, quick.receive, quick.send), DEADLINE)
            for each in (*slow, large_one):
                each.goes_on.set()
            await asyncio.gather(*waiting)

    asyncio.run(answer())
    assert quick.answered.status_code == 200
    assert {each.answered.status_code for each in (*slow, large_one)} == {400}


def test_one_large_body_too_many_cuts_off_the_one_that_is_waited_for_longest(gateway: PretendedGateway) -> None:
    first, second, third = (SlowClient(ACTIVATE, [LARGE, b"}"]) for _ in range(3))

    async def answer() -> None:
        with application(threads=4) as answers:
            waiting = []
            for each in (first, second, third):
                waiting.append(asyncio.create_task(answers(each.scope, each.receive, each.send)))
                await asyncio.wait_for(each.is_waited_for.wait(), DEADLINE)
            await asyncio.wait_for(waiting[0], DEADLINE)
            assert [each.done() for each in waiting[1:]] == [False, False]
            for each in (second, third):
                each.goes_on.set()
            await asyncio.gather(*waiting)

    asyncio.run(answer())
    assert first.answered.status_code == 408
    assert first.answered.json() == {"status": False, "message": "cut off"}
    assert [each.answered.status_code for each in (second, third)] == [400, 400]
    assert "no JSON" in second.answered.json()["message"]


def test_as_many_uploads_as_may_be_made_arrive_at_once_and_leave_threads_for_others(settings: Settings) -> None:
    door, uploads = asgi._door, settings.PIPELINE_WEIGHT_CHANGES_MAX
    waiting, threads = door._slow._most, door._threads._max_workers

    assert waiting > uploads
    assert threads - waiting > uploads
