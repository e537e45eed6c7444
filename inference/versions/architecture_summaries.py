"""The summaries of stored architectures: each is made once by this process, and a page's are read by one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from inference.models import StoredFile
from inference.versions.architecture_summary import ArchitectureSummary, summarize
from inference.versions.stored_files import whole_files
from workers.runtime.file_format import MAX_ARCHITECTURE_BYTES

#: So much is read at once, and one architecture more: a page need not wait until each of many large ones is parsed.
READ_BYTES_MAX = 4 * 1024**2


def summaries_of(architectures: Iterable[StoredFile]) -> dict[str, ArchitectureSummary | None]:
    """By digest, None of what is no model's JSON.

    Left out are those that are not there, and the last of many large ones until this is asked again.
    """
    sizes = {one.digest: one.size for one in architectures if one.size <= MAX_ARCHITECTURE_BYTES}
    for digest, content in whole_files(list(_to_read(sizes))):
        _kept(digest).append(summarize(content))
    return {digest: kept[0] for digest in sizes if (kept := _kept(digest))}


def _to_read(sizes: dict[str, int]) -> Iterator[str]:
    total = 0
    for digest, size in sizes.items():
        if total < READ_BYTES_MAX and not _kept(digest):
            total += size
            yield digest


@lru_cache(maxsize=256)
def _kept(digest: str) -> list[ArchitectureSummary | None]:
    """Nothing at first, then the summary: what a digest names never changes."""
    return []
