"""The batches of a gateway process that are on their way to a worker or back."""

from __future__ import annotations

from collections import Counter

from inference.dispatch.batch import Batch
from inference.dispatch.waiting import Key


class InFlight:
    """Batches by their id, counted by what they are of. For the loop's thread."""

    def __init__(self) -> None:
        self._batches: dict[str, Batch] = {}
        self._counts: Counter[Key] = Counter()

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: Batch) -> None:
        """A batch is about to be sent."""
        self._batches[batch.id] = batch
        self._counts[batch.key] += 1

    def remove(self, batch_id: str) -> Batch | None:
        """The batch, which is on its way no more; None when it was not."""
        batch = self._batches.pop(batch_id, None)
        if batch is not None:
            batch.withdrawn = True
            self._counts[batch.key] -= 1
            if not self._counts[batch.key]:
                del self._counts[batch.key]
        return batch

    def ids(self) -> list[str]:
        """All that are on their way."""
        return list(self._batches)

    def late(self, now: float) -> list[str]:
        """Those that nobody waits for any more."""
        return [batch_id for batch_id, batch in self._batches.items() if batch.deadline < now]

    def full(self, limit: int) -> set[Key]:
        """The keys of which as many are on their way as may be."""
        return {key for key, count in self._counts.items() if count >= limit}
