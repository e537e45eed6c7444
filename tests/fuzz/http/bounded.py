"""Cases of where a request ends: lengths, chunks and compressions, requests within others, and what breaks off."""

from __future__ import annotations

import gzip
import zlib

from tests.fuzz.http import bodies, forms, framing
from tests.fuzz.http.case import CANNOT, REFUSED, Asked, Case, Chances, Ending, Rows
from tests.fuzz.http.heads import head, request
from tests.fuzz.http.making import one, sound_prediction


def lying_length(chances: Chances, kind: str) -> Case:
    """A Content-Length that is none, that is twice there, or too large."""
    chance, body = chances.chance, b'{"vector":[1,2]}'
    line, lengths = (
        "POST /predict HTTP/1.1",
        chance.choice([[each] for each in framing.LENGTHS] + [["16", "16"], ["16", "2"]]),
    )
    if chance.random() < 0.3:
        line = forms.UPLOAD
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
    sent = zlib.compress(body) if coding == "deflate" else gzip.compress(body, mtime=0)
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
    line = chance.choice(["POST /predict HTTP/1.1", "POST /predict HTTP/1.1", forms.UPLOAD, "POST /status HTTP/1.1"])
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
    sent = head(chance.choice(["POST /predict HTTP/1.1", forms.UPLOAD]), said) + chance.choice(framing.BROKEN_CHUNKS)
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
    line = chance.choice(
        ["POST /predict HTTP/1.1"] * 3 + ["GET /healthz HTTP/1.1", "POST /predict HTTP/1.0", forms.UPLOAD]
    )
    sent = head(line, said) + body
    return Case(kind, framing.pieces(chance, sent), (Asked(request_id, statuses=statuses),), 1, 1)


def truncated(chances: Chances, kind: str) -> Case:
    """A request that breaks off anywhere."""
    sent, asked = sound_prediction(chances)
    if chances.chance.random() < 0.3:
        sent = request(asked.request_id, forms.sound(chances.chance), forms.FORM, line=forms.UPLOAD)
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
