"""JSON bodies for /predict: sound ones in all their spellings, and those that are none; and which rows each holds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import orjson

from tests.fuzz.http.case import ANY_ROWS, NN_ID, Rows

#: Below these, a number is one that float32, and any reading of JSON, takes without a doubt.
CERTAIN_WHOLE, CERTAIN_FLOAT = 2**53, 1e38
NUMBERS = [
    "0", "-0", "-0.0", "1", "-1", "0.1", "1e-300", "5e-324", "1E5", "1e+5", "3.4e38", "3.5e38", "1e39", "1e308",
    "1e309", "-1e400", "9007199254740993", "18446744073709551615", "18446744073709551616", "-9223372036854775808",
    "-9223372036854775809", "1" * 40, "9" * 400, "0." + "1" * 5000, "1" * 5000, "1e99999999999999999999", "0e0",
]  # fmt: skip
NO_NUMBERS = [
    "NaN", "Infinity", "-Infinity", "nan", "+1", ".5", "1.", "01", "0x10", "1_000", "1,5", "--1", "1e", "1e+",
    "true", "null", '"1"', '""', "{}", "[]", "[1]", "'1'", "\u0661", "\uff11", "1\x00", "\x00", "undefined", "1n",
    "/**/1",
]  # fmt: skip


def number(chance: random.Random) -> str:
    """A plain number."""
    return repr(chance.choice([chance.random(), chance.uniform(-1e6, 1e6), chance.randint(-1000, 1000)]))


def row(chance: random.Random) -> str:
    """A row of the sum network."""
    return f"[{number(chance)},{number(chance)}]"


def sound(chance: random.Random) -> bytes:
    """A body that holds rows, spelled in one of many ways."""
    if chance.random() < 0.7:
        fields = [('"vector"', row(chance))]
    else:
        fields = [('"data"', "[" + ",".join(row(chance) for _ in range(chance.randint(1, 8))) + "]")]
    if chance.random() < 0.3:
        fields.append(('"nn_id"', f'"{NN_ID}"'))
    if chance.random() < 0.2:
        more = chance.choice(["null", '"\\u0000"', "[[[]]]", "1e5", '{"vector":[9,9]}', json.dumps("x" * 3000)])
        fields.append((f'"{chance.choice(["comment", "Vector", "", "ü", "__proto__"])}"', more))
    chance.shuffle(fields)
    if chance.random() < 0.1:
        fields = [(name.replace("v", "\\u0076"), value) for name, value in fields]
    space = chance.choice(["", "", " ", "\n", "\t \r\n"])
    text = "{" + ",".join(f"{space}{name}{space}:{space}{value}" for name, value in fields) + "}"
    return (space + text + space * chance.choice([1, 1, 1000])).encode()


def odd_number(chance: random.Random) -> bytes:
    """A body with a number that is hard to take, or none."""
    numbers = [chance.choice(NUMBERS + NO_NUMBERS), number(chance)]
    chance.shuffle(numbers)
    return ('{"vector":[' + ",".join(numbers) + "]}").encode("utf-8")


def nested(chance: random.Random) -> bytes:
    """Lists or objects in one another, sometimes very deep, sometimes without their ends."""
    depth = chance.choice([1, 2, 5, 31, 32, 33, 100, 1000, 1023, 1024, 1025, 5000, 60_000])
    opens, closes = chance.choice([("[", "]"), ('{"a":', "}"), ("[[1],", "]"), ('{"vector":', "}")])
    inner = opens * depth + "1" + closes * (depth if chance.random() < 0.8 else chance.randrange(depth + 1))
    return chance.choice(
        [f'{{"vector":{inner}}}', f'{{"data":{inner}}}', inner, f'{{"x":{inner},"vector":[1,2]}}']
    ).encode()


def other_shape(chance: random.Random) -> bytes:
    """JSON of another shape."""
    return orjson.dumps(_value(chance, 4))


def _value(chance: random.Random, depth: int) -> Any:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice([None, True, False, 0, 1.5, "", "vector", NN_ID, 2**63, -(2**63), "\x00", "é", 10**15])
    if chance.random() < 0.5:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    names = ["vector", "data", "nn_id", "version", "keras_tensor", "input", ""]
    return {chance.choice(names): _value(chance, depth - 1) for _ in range(chance.randint(0, 4))}


def other_text(chance: random.Random) -> bytes:
    """A sound body in another encoding, with bytes that are no text, or more than one value."""
    text = sound(chance)
    return chance.choice([
        lambda: text.decode().encode("utf-16"), lambda: text.decode().encode("utf-32-be"),
        lambda: b"\xef\xbb\xbf" + text, lambda: text + text, lambda: text + b"\x00", lambda: b"\x00" + text,
        lambda: text.replace(b":", b":\xff", 1), lambda: b'{"\xc0\xaf":1,' + text.lstrip()[1:],
        lambda: b'{"\xed\xa0\x80":1,' + text.lstrip()[1:], lambda: b'{"\\ud800":1,' + text.lstrip()[1:],
        lambda: b"vector=[1,2]", lambda: b"", lambda: b"\x1f\x8b\x08" + text, lambda: text.replace(b'"', b"'"),
        lambda: b"/* */" + text, lambda: bytes(chance.randbytes(chance.randint(1, 300))),
    ])()  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """A sound body with some bytes changed, cut out, put in or cut off."""
    body = bytearray(sound(chance))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(body) + 1)
        match chance.randrange(5):
            case 0:
                body[place:place] = chance.choice(
                    [b"\x00", b"\xff", b"[", b"}", b'"', b",", b"\\", b"-", b"e", b"\r\n"]
                )
            case 1:
                del body[place : place + chance.randint(1, 9)]
            case 2:
                del body[place:]
            case 3 if place < len(body):
                body[place] ^= 1 << chance.randrange(8)
            case _:
                body[place:place] = body[: chance.randint(1, 40)]
    return bytes(body)


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "odd numbers": odd_number,
    "nested": nested,
    "another shape": other_shape,
    "another text": other_text,
    "damaged JSON": damaged,
}


def rows_of(body: bytes) -> Rows | None:
    """The rows that a body asks the default network for; None when it is to be refused."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or ("vector" in value) == ("data" in value):
        return None
    if value.get("nn_id", NN_ID) != NN_ID:
        return None
    asked = value.get("vector", value.get("data"))
    if isinstance(asked, dict):
        return ANY_ROWS  # rows by input, if that is the input's name
    rows = [asked] if "vector" in value else asked
    if not isinstance(rows, list) or not rows or not all(isinstance(each, list) and len(each) == 2 for each in rows):
        return None
    numbers = [each for row in rows for each in row]
    if not all(type(each) in (int, float) for each in numbers):
        return None
    certain = "version" not in value and all(
        abs(each) < (CERTAIN_WHOLE if type(each) is int else CERTAIN_FLOAT) for each in numbers
    )
    return Rows([[float(each) for each in row] for row in rows], certain)
