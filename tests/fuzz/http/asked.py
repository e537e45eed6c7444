"""Cases of what is asked: predictions, addresses, forms and weights, sound and odd."""

from __future__ import annotations

from tests.fuzz.http import bodies, forms, framing, heads
from tests.fuzz.http.case import CANNOT, REFUSED, Asked, Case, Chances, Ending
from tests.fuzz.http.heads import head, request
from tests.fuzz.http.making import one, refused, sound_prediction

LAST = "Connection: close"
#: What an application that has read no body to its end cannot keep a connection for.
LARGE_BYTES = 70_000


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


def odd_form(chances: Chances, kind: str) -> Case:
    """A form that is no upload."""
    chance, request_id = chances.chance, chances.new_id()
    content_type, body = forms.FORM, forms.odd(chance)
    if chance.random() < 0.3:
        content_type = f"Content-Type: {heads.content_type(chance, *forms.CONTENT_TYPES * 3)}"
        body = chance.choice([body, forms.urlencoded(chance)])
    said = [content_type, *(["Expect: 100-continue"] if chance.random() < 0.05 else [])]
    return one(
        chances, kind, request(request_id, body, *said, line=forms.UPLOAD), Asked(request_id, statuses=REFUSED | {200})
    )


def weights(chances: Chances, kind: str) -> Case:
    """An upload that is sound but for its weights, or altogether."""
    chance, request_id = chances.chance, chances.new_id()
    body = forms.sound(chance) if chance.random() < 0.3 else forms.broken_weights(chance)
    sent = request(request_id, body, forms.FORM, line=forms.UPLOAD)
    return one(chances, kind, sent, Asked(request_id, statuses=frozenset({200, 503})))
