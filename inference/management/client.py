"""What the commands that ask a running gateway share: its address, and an error that is one line.

They speak HTTP, like any client, so they work with the embedded form too, whose broker no other process can reach.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError

from inference.client.http_client import ClientError, PipelineClient
from workers.settings import environment
from workers.settings import settings as shared_settings

#: What a gateway may need beyond the waits it promises itself.
MARGIN_SECONDS = 15.0


def add_url_argument(parser: ArgumentParser) -> None:
    """Add `--url`, which says which gateway is asked."""
    default = environment().str("PIPELINE_URL", "") or f"http://{settings.PIPELINE_BIND}"
    parser.add_argument("--url", default=default, help="the gateway to ask (PIPELINE_URL; default: %(default)s)")


@contextmanager
def asking(url: str) -> Iterator[PipelineClient]:
    """A client of the gateway at `url` with PIPELINE_TOKEN as its key; what goes wrong ends the command with a line."""
    shared = shared_settings()
    longest = max(shared.load_timeout_seconds, shared.request_timeout_seconds)
    try:
        yield PipelineClient(url, longest + MARGIN_SECONDS, environment().str("PIPELINE_TOKEN", "").strip())
    except ClientError as error:
        raise CommandError(str(error)) from error
