"""Every kind of case, and the case that belongs to a seed: the same one each time."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.http import bodies, forms, framing, heads
from tests.fuzz.http.case import CANNOT, REFUSED, Asked, Case, Chances, Ending, Rows
from tests.fuzz.http.heads import head, request

LAST = "Connection: close"
UPLOAD = "PUT /set_weights HTTP/1.1"
#: What an application that has read no body to its end cannot keep a connection for.
LARGE_BYTES = 70_000


def make_case(chance: random.Random, name: str) -> Case:
    """The case that this chance leads to; `name` is in the ids of its requests."""
    (kind,) = chance.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()])
    made = KINDS[kind][1](Chances(chance, name), kind)
    if made.ending is Ending.ENDS and chance.random() < 0.03:
        # A client that does not wait learns nothing, and must leave nothing behind.
        ending = chance.choice([Ending.LEAVES, Ending.RESETS])
        return replace(made, least=0, ending=ending)
    return made


def case_of(seed: int) -> Case:
    """The case of a seed."""
    return make_case(random.Random(seed), f"fuzz-{seed}")


def one(chances: Chances, kind: str, sent: bytes, asked: Asked, ending: Ending = Ending.ENDS) -> Case:
    """A case with one request and one answer."""
    return Case(kind, framing.pieces(chances.chance, sent), (asked,), 1, 1, ending)


def refused(chances: Chances, kind: str, sent: bytes, *before: Asked, ending: Ending = Ending.ENDS) -> Case:
    """A case whose last bytes are no request: one refusal after the other answers."""
    count = len(before) + 1
    return Case(kind, framing.pieces(chances.chance, sent), before, count, count, ending)


def sound_prediction(chances: Chances, *headers: str) -> tuple[bytes, Asked]:
    """A prediction that must be answered."""
    body, request_id = bodies.sound(chances.chance), chances.new_id()
    said = [*heads.some_headers(chances.chance), *headers]
    return request(request_id, body, *said), Asked(request_id, bodies.rows_of(body))


def prediction(chances: Chances, kind: str) -> Case:
    """Sound, in all kinds of heads."""
    chance, body, request_id = chances.chance, bodies.sound(chances.chance), chances.new_id()
    line = chance.choice(
        ["POST /predict HTTP/1.1"] * 3
        + ["POST /predict HTTP/1.0", "POST http://h/predict HTTP/1.1", "POST  /predict  HTTP/1.1"]
    )
    line = line if chance.random() < 0.9 else "POST /predict?version=9 HTTP/1.1"
    said, ending = heads.some_headers(chance), Ending.ENDS
    if chance.random() < 0.3 or "1.0" in line:
        said, ending = [*said, LAST], Ending.WAITS
    if chance.random() < 0.1:
        said.append(chance.choice(["Expect: 100-continue", "expect: 100-Continue"]))
    if chance.random() < 0.03:
        body += b" " * LARGE_BYTES
    sent = request(request_id, body, *said, line=line)
    return one(chances, kind, sent, Asked(request_id, bodies.rows_of(body)), ending)


def odd_body(chances: Chances, kind: str) -> Case:
    """A body that holds rows or does not."""
    body, request_id = bodies.KINDS[kind](chances.chance), chances.new_id()
    rows = bodies.rows_of(body)
    return one(chances, kind, request(request_id, body, *heads.some_headers(chances.chance)), Asked(request_id, rows))


def pipelined(chances: Chances, kind: str) -> Case:
    """Several predictions at once, perhaps with something broken behind them."""
    made = [sound_prediction(chances) for _ in range(chances.chance.randint(2, 8))]
    sent, asked = b"".join(each for each, _ in made), tuple(each for _, each in made)
    if chances.chance.random() < 0.5:
        return Case(kind, framing.pieces(chances.chance, sent), asked, len(asked), len(asked))
    broken = head(chances.chance.choice(heads.LINES), ["Host: h"]) + request(chances.smuggled_id, b'{"vector":[1,2]}')
    return refused(chances, kind, sent + broken, *asked, ending=Ending.WAITS)


def broken_line(chances: Chances, kind: str) -> Case:
    """A first line that is none."""
    line = chances.chance.choice(heads.LINES)
    return refused(chances, kind, request(chances.smuggled_id, b"{}", line=line))


def broken_header(chances: Chances, kind: str) -> Case:
    """A header that is none, or too many of them."""
    chance, headers = chances.chance, heads.some_headers(chances.chance)
    broken = chance.choice(heads.BROKEN_HEADERS)
    if chance.random() < 0.1:
        broken = b"\r\n".join(b"X-%d: 1" % number for number in range(chance.choice([101, 200, 3000])))
    place = chance.randrange(len(headers) + 1)
    said: list[str | bytes] = [*headers[:place], broken, *headers[place:]]
    # Whose header it is that breaks a request, and whether another one's name hides it, does not matter.
    request_id = chances.new_id()
    sent = request(request_id, b'{"vector":[1,2]}', *said)
    return Case(kind, framing.pieces(chance, sent), (Asked(request_id, statuses=REFUSED),), 1, 1)


def target(chances: Chances, kind: str) -> Case:
    """Some address by some method; what answers there, and how, is not looked at, but its form is."""
    chance, request_id = chances.chance, chances.new_id()
    method, address = chance.choice(heads.METHODS), chance.choice(heads.TARGETS)
    asked = Asked(request_id, statuses=REFUSED | CANNOT | {200, 301, 302, 304}, is_head=method == "HEAD")
    sent = request(request_id, b"" if chance.random() < 0.7 else b"{}", LAST, line=f"{method} {address} HTTP/1.1")
    return one(chances, kind, sent, asked, Ending.WAITS)


def lying_length(chances: Chances, kind: str) -> Case:
    """A Content-Length that is none, that is twice there, or too large."""
    chance, body = chances.chance, b'{"vector":[1,2]}'
    line, lengths = (
        "POST /predict HTTP/1.1",
        chance.choice([[each] for each in framing.LENGTHS] + [["16", "16"], ["16", "2"]]),
    )
    if chance.random() < 0.3:
        line = UPLOAD
    if chance.random() < 0.3:
        lengths = [chance.choice(framing.HUGE_LENGTHS)]
    said = ["Host: h", f"X-Request-ID: {chances.name}", *(f"Content-Length: {length}" for length in lengths)]
    chance.shuffle(said)
    sent = head(line, said) + body + request(chances.smuggled_id, body)
    return Case(kind, framing.pieces(chance, sent), (Asked(chances.name, statuses=REFUSED),), 1, 1)


def too_long_length(chances: Chances, kind: str) -> Case:
    """A body that is shorter than its length says: what has come is not taken for the whole."""
    chance, body, request_id = chances.chance, bodies.sound(chances.chance), chances.new_id()
    path = chance.choice(["POST /predict", "POST /predict", "PUT /set_weights"])
    said = ["Host: h", f"X-Request-ID: {request_id}", f"Content-Length: {len(body) + chance.choice([1, 10, 100_000])}"]
    if path.startswith("PUT"):
        said, body = [*said, forms.FORM], forms.form(forms.BROKEN_NN_ID, b"AAAA")[: len(body)]
    sent = head(f"{path} HTTP/1.1", said) + body
    waits = chance.random() < 0.02
    asked = Asked(request_id, statuses=frozenset({408}) if waits else frozenset({400, 408}))
    return Case(kind, framing.pieces(chance, sent), (asked,), int(waits), 1, Ending.WAITS if waits else Ending.ENDS)


def too_short_length(chances: Chances, kind: str) -> Case:
    """A body that goes on after its length: the rest is no request."""
    chance, request_id = chances.chance, chances.new_id()
    rest = chance.choice([b"}", b"\x00", b"\r\n\r\nX", b"x" * 9000, b" ", b'{"vector":[1,2]}\r\n\r\n', b"0\r\n\r\nGET"])
    body = b'{"vector":[1,2]}'
    sent = request(request_id, body) + rest + (b"\r\n\r\n" if chance.random() < 0.5 else b"")
    return Case(kind, framing.pieces(chance, sent), (Asked(request_id, bodies.rows_of(body)),), 1, 2)


def compressed(chances: Chances, kind: str) -> Case:
    """A prediction in gzip or deflate, in chunks or with its length, sound or damaged."""
    chance, body, request_id = chances.chance, bodies.sound(chances.chance), chances.new_id()
    coding = chance.choice(["gzip", "x-gzip", "GZIP", "deflate"])
    sent = zlib.compress(body) if coding == "deflate" else gzip.compress(body)
    asked = Asked(request_id, bodies.rows_of(body))
    if chance.random() < 0.5:
        asked = Asked(request_id, statuses=REFUSED)
        sent = chance.choice([sent[:-1], sent[: len(sent) // 2], b"\x00" + sent, body, sent + b"\x00", sent[10:]])
    if chance.random() < 0.1:
        coding, asked = chance.choice(["br", "gzip, gzip", "zstd", "\x80"]), Asked(request_id, statuses=REFUSED)
    if chance.random() < 0.5:
        return one(chances, kind, request(request_id, sent, f"Content-Encoding: {coding}"), asked)
    said = [f"Host: h\r\nX-Request-ID: {request_id}\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked"]
    return one(chances, kind, head("POST /predict HTTP/1.1", said) + framing.chunks(chance, sent), asked)


def chunked(chances: Chances, kind: str) -> Case:
    """Sound chunks, and a prediction behind them."""
    chance, request_id = chances.chance, chances.new_id()
    body = b" " * 300_000 if chance.random() < 0.1 else bodies.sound(chance)
    coding = chance.choice(["chunked", "Chunked", " chunked "])
    said = [f"Host: h\r\nX-Request-ID: {request_id}\r\nTransfer-Encoding: {coding}"]
    line = chance.choice(["POST /predict HTTP/1.1", "POST /predict HTTP/1.1", UPLOAD, "POST /status HTTP/1.1"])
    asked = Asked(request_id, statuses=frozenset({400, 405}))
    if "predict" in line:
        asked = Asked(request_id, bodies.rows_of(body))
    behind, next_asked = sound_prediction(chances)
    sent = head(line, said) + framing.chunks(chance, body) + behind
    return Case(kind, framing.pieces(chance, sent), (asked, next_asked), 2, 2)


def broken_chunks(chances: Chances, kind: str) -> Case:
    """Chunks that are none, with a request behind them that may be a part of them."""
    chance, request_id = chances.chance, chances.new_id()
    said = [f"Host: h\r\nX-Request-ID: {request_id}\r\nTransfer-Encoding: chunked"]
    sent = head(chance.choice(["POST /predict HTTP/1.1", UPLOAD]), said) + chance.choice(framing.BROKEN_CHUNKS)
    sent += b"" if chance.random() < 0.5 else request(chances.smuggled_id, b'{"vector":[1,2]}')
    # When the application has answered before it read them, nothing more may be answered.
    return Case(kind, framing.pieces(chance, sent), (Asked(request_id, statuses=REFUSED),), 0, 2)


def smuggling(chances: Chances, kind: str) -> Case:
    """A request in the body of another: two readers that disagree on where the first one ends would see it."""
    chance, request_id = chances.chance, chances.new_id()
    inner = request(chances.smuggled_id, b'{"vector":[1,2]}')
    coding = chance.choice(framing.CODINGS) if chance.random() < 0.7 else "Transfer-Encoding: chunked"
    length_counts = chance.random() < 0.8
    # Without a length, a body that ends is followed by a request of its own.
    end = b"0\r\n\r\n" if length_counts else b""
    body = chance.choice([
        lambda: end + inner, lambda: b"%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n",
        lambda: b"1\r\nZ\r\nQ\r\n\r\n" + inner, lambda: inner,
    ])()  # fmt: skip
    length = f"Content-Length: {chance.choice([len(body), 4, 0, 5, len(body) - len(inner)])}"
    said = [f"Host: h\r\nX-Request-ID: {request_id}", coding, length]
    statuses = REFUSED
    if not length_counts:
        said.remove(length)
        statuses = REFUSED | {200}  # /healthz does not care for a body, and its connection is closed
    chance.shuffle(said)
    line = chance.choice(["POST /predict HTTP/1.1"] * 3 + ["GET /healthz HTTP/1.1", "POST /predict HTTP/1.0", UPLOAD])
    sent = head(line, said) + body
    return Case(kind, framing.pieces(chance, sent), (Asked(request_id, statuses=statuses),), 1, 1)


def truncated(chances: Chances, kind: str) -> Case:
    """A request that breaks off anywhere."""
    sent, asked = sound_prediction(chances)
    if chances.chance.random() < 0.3:
        sent = request(asked.request_id, forms.sound(chances.chance), forms.FORM, line=UPLOAD)
    sent = sent[: chances.chance.randrange(len(sent))]
    waits = chances.chance.random() < 0.01 and bool(sent)
    some = Asked(asked.request_id, statuses=frozenset({400, 408}))
    return Case(
        kind, framing.pieces(chances.chance, sent), (some,), int(waits), 1, Ending.WAITS if waits else Ending.ENDS
    )


def other_bytes(chances: Chances, kind: str) -> Case:
    """No HTTP at all: random bytes, or another protocol's."""
    chance = chances.chance
    sent = chance.choice([
        lambda: chance.randbytes(chance.randint(1, 2000)), lambda: b"\x00" * chance.randint(1, 20_000),
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        lambda: b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + chance.randbytes(160),
        lambda: b"\r\n" * chance.randint(1, 3000), lambda: b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", lambda: b"GET /\r\n",
        lambda: b"GET /predict\n\n", lambda: b" " * 9000, lambda: b"\n", lambda: b"\r\n\r\n\x00\r\nQUIT\n", lambda: b"",
        lambda: b"AMQP\x00\x00\x09\x01",
    ])()  # fmt: skip
    return Case(kind, framing.pieces(chance, sent), (), 0, 1)


def damaged_request(chances: Chances, kind: str) -> Case:
    """A sound request with some bytes changed anywhere: at most it is another one."""
    sent, asked = sound_prediction(chances)
    changed = bytearray(sent)
    for _ in range(chances.chance.randint(1, 3)):
        place = chances.chance.randrange(len(changed))
        match chances.chance.randrange(3):
            case 0:
                changed[place] ^= 1 << chances.chance.randrange(8)
            case 1:
                changed[place:place] = chances.chance.choice(
                    [b"\r\n", b"\n", b"\x00", b" ", b":", b"\t", b"\r", b"\xff"]
                )
            case _:
                del changed[place : place + chances.chance.randint(1, 5)]
    # The changed bytes may be digits of its rows, or of its id.
    some = Asked(asked.request_id, Rows([], certain=False), REFUSED | CANNOT | {200})
    return Case(kind, framing.pieces(chances.chance, bytes(changed)), (some,), 0, 2, ids_kept=False)


def odd_form(chances: Chances, kind: str) -> Case:
    """A form that is no upload."""
    chance, request_id = chances.chance, chances.new_id()
    content_type, body = forms.FORM, forms.odd(chance)
    if chance.random() < 0.3:
        content_type = f"Content-Type: {heads.content_type(chance, *forms.CONTENT_TYPES * 3)}"
        body = chance.choice([body, forms.urlencoded(chance)])
    said = [content_type, *(["Expect: 100-continue"] if chance.random() < 0.05 else [])]
    return one(
        chances, kind, request(request_id, body, *said, line=UPLOAD), Asked(request_id, statuses=REFUSED | {200})
    )


def weights(chances: Chances, kind: str) -> Case:
    """An upload that is sound but for its weights, or altogether."""
    chance, request_id = chances.chance, chances.new_id()
    body = forms.sound(chance) if chance.random() < 0.3 else forms.broken_weights(chance)
    sent = request(request_id, body, forms.FORM, line=UPLOAD)
    return one(chances, kind, sent, Asked(request_id, statuses=frozenset({200, 503})))


KINDS: dict[str, tuple[int, Callable[[Chances, str], Case]]] = {
    "predictions": (12, prediction),
    **dict.fromkeys(bodies.KINDS, (5, odd_body)),
    "pipelined": (4, pipelined),
    "broken lines": (6, broken_line),
    "broken headers": (7, broken_header),
    "addresses": (6, target),
    "lying lengths": (6, lying_length),
    "too long lengths": (3, too_long_length),
    "too short lengths": (4, too_short_length),
    "chunks": (4, chunked),
    "compressed": (4, compressed),
    "broken chunks": (5, broken_chunks),
    "smuggling": (8, smuggling),
    "truncated": (4, truncated),
    "other bytes": (4, other_bytes),
    "damaged requests": (8, damaged_request),
    "odd forms": (12, odd_form),
    "weights": (1, weights),
}
