"""A middleware that tells how many queries an answer took, to whoever asks for it: for `admin_pages`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

#: Sent with a request to have its queries counted, and with the answer.
HEADER = "X-Queries"


class Counter:
    """Counts statements."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)


def count_queries(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Requests without the header pass by; an answer that is written while it is read is made whole first."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if HEADER not in request.headers:
            return get_response(request)
        counter = Counter()
        with connection.execute_wrapper(counter):
            response = get_response(request)
            if response.streaming:
                response = HttpResponse(b"".join(cast("Iterable[bytes]", response)), status=response.status_code)
        response[HEADER] = str(counter.count)
        return response

    return middleware
