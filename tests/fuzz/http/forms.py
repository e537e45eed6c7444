"""Forms for /set_weights, most of them broken; and the few that a worker gets to see."""

from __future__ import annotations

import base64
import random

from tests.fuzz.http.case import NN_ID
from tests.support.samples import samples

BOUNDARY = "boundary"
#: The network that broken weights are sent for: nobody predicts with it, for it never has a version that loads.
BROKEN_NN_ID = "b" * 32
OCTETS = "Content-Type: application/octet-stream"
#: What is asked of an upload's address.
UPLOAD = "PUT /set_weights HTTP/1.1"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
CONTENT_TYPES = [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
    "multipart/form-data; boundary=\xff", 'multipart/form-data; boundary="boundary"',
    "MULTIPART/FORM-DATA; BOUNDARY=boundary", "multipart/form-data; boundary=" + "b" * 300,
    "multipart/mixed; boundary=boundary", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary*=utf-8''boundary", "multipart/form-data; boundary=boundary; boundary=other",
    "multipart/form-data;boundary=a b", "multipart/form-data; boundary*=zlib''%41",
    "multipart/form-data; boundary=boundary",
]  # fmt: skip
FILE_NAMES = [
    'filename="w.b64"', 'filename=""', "filename=", "", 'filename="../../etc/passwd"', 'filename="a\x00b"',
    'filename="C:\\a"', 'filename="' + "n" * 5000 + '"', "filename*=utf-8''%ff%fe", "filename*=nonsense''a",
    "filename*=utf-8''..%2f..%2fa", 'filename="a"; filename="b"', 'filename="a\\"b"', 'filename="\xff\xfe"',
    'filename="."', 'filename=".."', 'filename="/"', "filename*=zlib''%41", "filename*=idna''%ff",
    "filename*=utf-8''%00", "filename*0=a; filename*1=b", 'filename="\ud7ff"'.encode().decode("latin-1"),
    "filename*=''",
]  # fmt: skip
PART_HEADERS = [
    OCTETS, "Content-Type: text/plain", "Content-Type:", "Content-Type: application/octet-stream; charset=zlib",
    "nonsense", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable",
    "Content-Length: 99999999999999", "Content-Length: nonsense", "Content-Length: -1", "X: " + "a" * 2000,
    "Content-Type: a/b; c=\"", "Content-Disposition: x", OCTETS + "; charset=utf-16",
    "Content-Type: multipart/mixed; boundary=inner", "Content-Length: " + "9" * 5000,
]  # fmt: skip
NN_IDS_SENT = [
    "", "0", "b" * 31, "b" * 33, "B" * 32, "b" * 31 + "\n", "\xff" * 32, "\x00" * 32, "b" * 100_000, NN_ID,
    BROKEN_NN_ID, "\u0661" * 16, "../" * 10, "' OR 1=1 --",
]  # fmt: skip


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    """One part, with its boundary before it."""
    lines = [f"--{BOUNDARY}", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def form(nn_id: str, content: bytes) -> bytes:
    """A sound form."""
    return part('name="nn_id"', nn_id.encode()) + part('name="data"; filename="w.b64"', content, OCTETS) + END


def sound(chance: random.Random) -> bytes:
    """The weights that the default network has already, as base64 or bare: predictions stay what they are."""
    text = samples()[0].file.read_bytes()
    return form(NN_ID, text if chance.random() < 0.5 else base64.b64decode(text))


def broken_weights(chance: random.Random) -> bytes:
    """A sound form with weights that no worker can load."""
    content = bytearray(base64.b64decode(samples()[0].file.read_bytes()))
    del content[chance.randrange(8, len(content)) :]
    return form(BROKEN_NN_ID, base64.b64encode(content))


def odd(chance: random.Random) -> bytes:
    """Odd parts, one of which lacks what an upload needs: there is no file that is base64 of something."""
    parts = []
    for _ in range(chance.choice([0, 1, 2, 2, 3, 5])):
        name = chance.choice(
            ['name="nn_id"', 'name="data"', "name=data", "name=", "", 'name="x"', 'name="data\x00"', 'name="_charset_"']
        )
        names = f"{name}; {chance.choice(FILE_NAMES)}"
        headers = chance.sample(PART_HEADERS, chance.choice([0, 1, 1, 2]))
        parts.append(part(names, _content(chance), *headers))
    if chance.random() < 0.1:
        parts = [part(f'name="a{number}"', b"1") for number in range(chance.choice([900, 1001, 1500]))]
    if chance.random() < 0.05:
        parts = [part(f'name="a{number}"; filename="f"', b"1") for number in range(chance.choice([90, 101, 300]))]
    body = b"".join([*parts, END])
    return body if chance.random() < 0.6 else damage(chance, body)


def _content(chance: random.Random) -> bytes:
    choice: bytes = chance.choice([
        chance.choice(NN_IDS_SENT).encode("utf-8", "replace"), b"", b"!no base64!", b"AAA", b"=" * 9, b"A=A=",
        b"\xff" * 50, b"\r\n", f"--{BOUNDARY}".encode(), b"\r\n--boundary", b"zlib", b"utf-16",
        chance.randbytes(chance.randint(0, 3000)) + b"!", b"!" * chance.choice([70_000, 300_000]),
    ])  # fmt: skip
    return choice


def damage(chance: random.Random, body: bytes) -> bytes:
    """A form with bytes cut out, changed, put in, or without its end."""
    content = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                del content[place:]
            case 1:
                del content[place : place + chance.randint(1, 30)]
            case 2:
                content[place:place] = chance.choice(
                    [b"\r\n", b"--", b"\x00", b"\n", f"\r\n--{BOUNDARY}".encode(), b"\xff"]
                )
            case _ if place < len(content):
                content[place] ^= 1 << chance.randrange(8)
    return bytes(content)


def urlencoded(chance: random.Random) -> bytes:
    """What a form without files looks like, or not."""
    return chance.choice([
        f"nn_id={BROKEN_NN_ID}&data=AAAA".encode(), b"%ff%fe=%00&" * 50, b"a=1&" * 1500, b"&&&&====", b"nn_id=%",
        b"\xff\xfe", b"nn_id=" + b"b" * 32 + b"&data=%ZZ", b"[" * 3000, b'{"nn_id": 5, "data": null}', b"{}",
        b"null", b'"\\ud800"', b"",
    ])  # fmt: skip
