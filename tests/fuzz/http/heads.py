"""Heads of requests: how one is written, and lines and headers that are odd, broken or too many."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

#: What a request that is well formed may say beside what it has to.
PLAIN_HEADERS = [
    "Accept: */*", "Accept: text/html;q=0.1", "Accept:", "User-Agent: " + "a" * 500, "Cookie: sessionid=\x80\xff; a",
    "Accept-Encoding: gzip, br", "Authorization: Token 0123", "Range: bytes=0-1", "If-None-Match: *",
    "If-Match: \"x\"", "If-Modified-Since: yesterday", "Upgrade: h2c", "Upgrade: websocket",
    "HTTP2-Settings: AAMAAABk", "TE: trailers", "Via: 1.1 elsewhere", "Forwarded: for=\"[::1]\"",
    "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-HTTP-Method-Override: DELETE", "Max-Forwards: 0",
    "Pragma: no-cache", "Keep-Alive: timeout=99999, max=0", "Content-Encoding: identity", "Content-Language: \xe9",
    "Content-MD5: nonsense", "Referer: javascript:alert(1)", "X-Empty:", "X_Under_Score: 1", "Content_Length: 5",
    "Transfer_Encoding: chunked", "X-Tab:\t\tvalue\t", "X-Long: " + "b" * 8000, "Proxy: http://127.0.0.1:9",
    "Sec-Fetch-Site: none", "Accept: text/html", "Accept: text/html; a*=foo'bar'%41", "Accept: text/html; q*=hex''%4",
]  # fmt: skip
CHARSETS = [
    "zlib", "rot13", "base64", "hex", "bz2", "quopri", "idna", "punycode", "undefined", "utf-7", "utf-16", "utf-32",
    "cp037", "unicode_escape", "raw_unicode_escape", "utf-8-sig", "nonsense", "", '"', "a" * 3000, "..", "utf 8",
    "\xe9", "mbcs", "cp65001",
]  # fmt: skip
#: A parameter of a header may be in any charset, too.
STARRED = [
    "charset*=utf-8''%00",
    "charset*=zlib''%41",
    "charset*=idna''%ff",
    "charset*=''",
    "charset*=a'b",
    "x*=hex''%4",
    "x*0*=a''%",
]
CONTENT_TYPES = [
    "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "text/plain", "",
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=zlib", "multipart/form-data",
    "multipart/form-data; boundary=b", "multipart/mixed; boundary=b", "application/json; charset=rot13",
    "application/octet-stream", "nonsense", "/", ";", ";;=;", "a/b; charset=\"", "text/html; charset*=utf-8''utf-8",
    "\xff\xfe/\x80", "application/xml", "application/json, text/plain", "a/b;" + "c=d;" * 900, "a/b; charset=idna",
]  # fmt: skip
BROKEN_HEADERS: list[bytes] = [
    b"Bro ken: yes", b": empty", b"No colon", b"X-A : space before", b"X-A\t: tab before", b"X-A: a\x00b",
    b"X-A: a\rb", b"X-A: a\x0bb", b"X-A: \x7f", b"X\x80: 1", b"X(A): 1", b"X-A: folded\r\n by a space",
    b"X-A: folded\r\n\tby a tab", b" X-A: begins with a space", b"X-A: a\nX-B: b", b"\xef\xbb\xbfX-A: 1",
    b"Host: other", b"Content-Type: a/b\r\nContent-Type: c/d", b"X-A: " + b"a" * 20_000, b"Expect: 200-ok",
    b"Expect: 100-continue, 100-continue", b"\x00", b"\r", b"GET / HTTP/1.1", b"X-A: 1\r",
]  # fmt: skip
LINES = [
    b"POST /predict", b"GET /predict\r\n", b"/predict HTTP/1.1",
    b"POST /predict HTTP/1.1 ", b" POST /predict HTTP/1.1", b"POST\t/predict\tHTTP/1.1",
    b"POST /pre dict HTTP/1.1", b"POST /predict HTTP/2.0", b"POST /predict HTTP/0.9", b"POST /predict HTTP/1.10",
    b"POST /predict HTTP/1", b"POST /predict HTTP/11", b"POST /predict http/1.1", b"POST /predict HTTQ/1.1",
    b"POST /predict HTTP/-1.1", b"POST /predict HTTP/\xb9.1", b"post /predict HTTP/1.1", b"PO#ST /predict HTTP/1.1",
    b"P /predict HTTP/1.1", b"POST\x00 /predict HTTP/1.1", b"POST /pre\x00dict HTTP/1.1",
    b"POST /pre\xffdict HTTP/1.1", b"POST * HTTP/1.1", b"POST predict HTTP/1.1", b"POST h:80 HTTP/1.1",
    b"POST http://[::1/predict HTTP/1.1", b"A" * 9000, b"POST /" + b"a" * 9000 + b" HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01\x00", b"SSH-2.0-OpenSSH_9.2", b"EHLO here", b"PRI * HTTP/2.0", b"*1", b"\x00\x00\x00",
    b"{}", b"<?xml?>", b"\xff\xf4\xff\xfd",
]  # fmt: skip
#: Addresses by which the application may be asked; whether it answers there, or what, does not matter.
TARGETS = [
    "/", "//", "//predict", "/predict/", "/predict?", "/predict?x=%00", "/predict#f", "/%70redict", "/predict%00",
    "/predict%0d%0aX: y".replace(" ", "%20"), "/..", "/../predict", "/./predict", "/predict;a=b", "/predict%2f",
    "/%", "/%c0%af", "/%zz", "/%ff%fe", "/static/../manage.py", "/static/%2e%2e/manage.py", "/static//etc/passwd",
    "/static/\\..\\x", "/static/%00", "/admin", "/admin/%ff", "/networks/../status", "/networks/" + "0" * 32,
    "/networks/" + "f" * 32 + "/versions/999999999/weights", "/networks/" + "F" * 32, "/networks?limit=%00",
    "/networks?limit=" + "9" * 400, "/networks?limit=%d9%a1", "/networks?offset=-1&limit=1001",
    "/networks?limit=1_0", "/networks?" + "&".join(f"a{n}=1" for n in range(1500)), "/networks?offset=999999999",
    "/healthz?%ff", "/readyz/", "http://h/predict", "http://a:99999999/predict", "http://other/status",
    "http://[::1]:80/predict", "HTTP://h/healthz", "ftp://h/healthz", "http://h", "http://user:password@h/healthz",
    "/healthz", "/status?" + "a" * 8000, "/api/schema?format=nonsense", "/api/docs?a",
    "/v2", "/v2/", "/v1", "/v2/%ff", "/v2/%00", "/v2/%0a", "/v2/health/ready", "/v2/models/stats",
    "/v2/models/%2e%2e/infer",
    "/v2/models/" + "f" * 32 + "/infer", "/v2/models/" + "x" * 129 + "/infer",
    "/v2/models/a/versions/1234567890/infer",
    "/v2/models/a/versions/%d9%a1/ready", "/v2/models/a%00b/config", "/v2/models/a/infer%0a", "/v2/repository/index",
    "/v2/repository/models/nobody/unload", "/v1/models/", "/v1/models/a:predict", "/v1/models/a%3apredict",
    "/v1/models/a/labels/%00:predict", "/v1/models/a/metadata?x", "//v2/models/a/infer", "/v2//models/a/infer",
]  # fmt: skip
METHODS = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW", "PROPFIND", "M-SEARCH",
    "UNLOCK", "A.B", "ABCDEFGHIJKLMNOPQRST", "QUERY", "VERSION-CONTROL", "!!!",
]  # fmt: skip


def head(line: bytes | str, headers: Sequence[bytes | str]) -> bytes:
    """A head of this line and these headers, in this order."""
    lines = [each if isinstance(each, bytes) else each.encode("latin-1") for each in (line, *headers)]
    return b"\r\n".join([*lines, b"", b""])


def request(
    request_id: str, body: bytes = b"", *headers: bytes | str, line: bytes | str = "POST /predict HTTP/1.1"
) -> bytes:
    """A request with an id, a host and the length of its body, well formed but for what is given."""
    said = [f"Host: h\r\nX-Request-ID: {request_id}", *headers, f"Content-Length: {len(body)}"]
    return head(line, said) + body


def content_type(chance: random.Random, *more: str) -> str:
    """A content type, sound or not; `more` are others to choose from."""
    kind = chance.choice([*CONTENT_TYPES, *more])
    if chance.random() < 0.7:
        return kind
    charset = chance.choice(STARRED) if chance.random() < 0.3 else f"charset={chance.choice(CHARSETS)}"
    return f"{kind}; {charset}"


def some_headers(chance: random.Random) -> list[str]:
    """Headers that harm nothing, in any order, in any case."""
    headers = chance.sample(PLAIN_HEADERS, chance.choice([0, 0, 1, 2, 5]))
    if chance.random() < 0.5:
        headers.append(f"Content-Type: {content_type(chance)}")
    if chance.random() < 0.05:
        headers += [f"X-{number}: {number}" for number in range(80 - len(headers))]
    chance.shuffle(headers)
    change: Callable[[str], str] = chance.choice([str, str, str.lower, str.upper])
    return [change(name) + ":" + value for name, _, value in (each.partition(":") for each in headers)]
