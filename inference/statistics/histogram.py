"""How many requests took how long: counts in buckets that grow by 3%, so that histograms can be added up.

A bucket stands for its middle, at most 1.5% from any time in it, from 0.01 ms to a day. Stored is each bucket that is
not empty, as its number (uint16) and its count (uint32), both little-endian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain
from struct import Struct

import numpy as np
import numpy.typing as npt

GROWTH = 1.03
LOWEST_MS = 0.01
BUCKETS = 780
_LAST = BUCKETS - 1
_HIGHEST_MS = LOWEST_MS * GROWTH**_LAST
_SCALE = 1 / math.log(GROWTH)

ENTRY = np.dtype([("bucket", "<u2"), ("count", "<u4")])
#: The time that each bucket stands for.
MIDDLES_MS = LOWEST_MS * 2 * GROWTH / (1 + GROWTH) * np.power(GROWTH, np.arange(BUCKETS, dtype=np.float64))


def bucket_of(milliseconds: float) -> int:
    """The bucket of a time; the first and the last hold what is beyond them too."""
    if milliseconds <= LOWEST_MS:
        return 0
    if milliseconds >= _HIGHEST_MS:
        return _LAST
    return int(math.log(milliseconds / LOWEST_MS) * _SCALE)


def to_bytes(buckets: dict[int, int]) -> bytes:
    """The histogram as it is stored; those of several stored ones in a row are a histogram too, their sum."""
    return _entries(len(buckets)).pack(*chain.from_iterable(buckets.items()))


@cache
def _entries(count: int) -> Struct:
    return Struct("<" + "HI" * count)


def add_up(
    stored: Sequence[bytes | memoryview], groups: npt.NDArray[np.intp], groups_count: int
) -> npt.NDArray[np.float64]:
    """Counts by group and bucket: the sums of the stored histograms of each group."""
    entries = np.frombuffer(b"".join(stored), dtype=ENTRY)
    lengths = np.fromiter((len(one) // ENTRY.itemsize for one in stored), dtype=np.intp, count=len(stored))
    places = np.repeat(groups, lengths) * BUCKETS + np.minimum(entries["bucket"], _LAST)
    counts = np.bincount(places, entries["count"].astype(np.float64), groups_count * BUCKETS)
    return counts.reshape(groups_count, BUCKETS).astype(np.float64)


def sum_of(stored: Sequence[bytes | memoryview]) -> bytes:
    """The sum of stored histograms, as it is stored."""
    counts = add_up(stored, np.zeros(len(stored), dtype=np.intp), 1)[0]
    buckets = np.flatnonzero(counts)
    entries = np.empty(len(buckets), dtype=ENTRY)
    entries["bucket"], entries["count"] = buckets, counts[buckets]
    return entries.tobytes()


def percentiles(counts: npt.NDArray[np.float64], shares: Sequence[float]) -> npt.NDArray[np.float64]:
    """By group and share, the time that this share of the group's requests did not exceed; nan for an empty group."""
    reached = counts.cumsum(axis=1)
    totals = reached[:, -1]
    found = np.empty((len(counts), len(shares)))
    for column, share in enumerate(shares):
        ranks = np.maximum(np.ceil(totals * share), 1)
        found[:, column] = MIDDLES_MS[np.minimum((reached < ranks[:, None]).sum(axis=1), _LAST)]
    found[totals == 0] = math.nan
    return found
