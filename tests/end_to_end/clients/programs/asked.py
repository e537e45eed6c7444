"""Reads what is to be asked from the standard input, a line of JSON each, and says on the standard output what came."""

import base64
import json
import sys

import numpy as np


def plain(value):
    """A value as JSON has it; bytes as texts after `b:`."""
    if isinstance(value, bytes):
        return "b:" + value.decode()
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": plain(value.tolist())}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return value


def array(given):
    """A tensor as NumPy has it; texts as bytes."""
    made = np.array(given["data"], dtype=given["dtype"])
    return np.char.encode(made.astype(str)).astype(object) if made.dtype == object else made


def files_of(given):
    """Files by their names, out of base64."""
    return {name: base64.b64decode(content) for name, content in given.items()}


def requests():
    """What is to be asked, one after the other."""
    for line in sys.stdin:
        asked = json.loads(line)
        yield asked["method"], asked["arguments"], asked["named"]


def tell(answer):
    """Say what came."""
    print(json.dumps({"answer": plain(answer)}), flush=True)


def tell_error(error, status):
    """Say what was raised."""
    told = {"kind": type(error).__name__, "message": str(error), "status": status}
    print(json.dumps({"raised": told}), flush=True)
