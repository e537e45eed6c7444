"""Where a request ends: lengths that lie, chunks, and requests hidden in the bodies of others."""

from __future__ import annotations

import random

LENGTHS = [
    "-1", "+5", "0x5", "5,5", "5, 5", "5 5", " 5 5", "5.0", "1e1", "five", "\xb2", "\xbd", "", "5;", "0b1", "1_0",
    "9" * 5000, "9" * 400, "\t\x0b5", "5\x00", "\xa05", "'5'", "18446744073709551617x",
]  # fmt: skip
#: A length that fits no body at all, but is a number.
HUGE_LENGTHS = ["99999999999999999999", "9" * 30, "9223372036854775808", "500000000"]
#: Transfer codings that must not be taken for `chunked`, nor for nothing.
CODINGS = [
    "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
    "Transfer-Encoding:", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: \"chunked\"", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding: ,",
    "Transfer-Encoding: chu\r\n nked", "X: x\nTransfer-Encoding: chunked", "Transfer-Encoding: c\xeahunked",
]  # fmt: skip
BROKEN_CHUNKS = [
    b"g\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2 \r\n{}\r\n0\r\n\r\n",
    b"2\n{}\n0\n\n", b"2\r\n{}X\r\n0\r\n\r\n", b"2\r\n{}\r\n", b"2\r\n{", b"", b"\r\n",
    b"2;a=\x00\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"2 ; a=\"b;c\"\r\n{}\r\n0\r\n\r\n",
    b"1" * 5000 + b"\r\n", b"f" * 300 + b"\r\n{}\r\n0\r\n\r\n", b"2\r{}\r0\r\r",
    b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n", b"2\r\n{}\r\n0\r\nbro ken\r\n\r\n",
    b"2\r\n{}\r\n0\r\nX: a\nY: b\r\n\r\n", b"\xd9\xa2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n00000000000000000000",
    b"2\r\n{}\r\n0\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"0\r\n",
]  # fmt: skip


def chunks(chance: random.Random, body: bytes) -> bytes:
    """A body in sound chunks, with extensions and trailers."""
    sent = []
    while body:
        size = chance.randint(1, len(body))
        extension = chance.choice(["", "", ";a", ";a=b", ';a="b;c"'])
        said = chance.choice([f"{size:x}", f"{size:X}", f"000{size:x}"])
        sent.append(f"{said}{extension}\r\n".encode() + body[:size] + b"\r\n")
        body = body[size:]
    trailers = chance.choice([b"", b"", b"X-Trailer: 1\r\n", b"X-A: 1\r\nX-B: 2\r\n"])
    return b"".join(sent) + chance.choice([b"0", b"000"]) + b"\r\n" + trailers + b"\r\n"


def pieces(chance: random.Random, sent: bytes) -> tuple[bytes, ...]:
    """The same bytes, in one piece or in several."""
    if chance.random() < 0.7 or len(sent) < 2:
        return (sent,)
    cuts = sorted({chance.randrange(1, len(sent)) for _ in range(chance.choice([1, 1, 2, 5]))})
    return tuple(sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True))
