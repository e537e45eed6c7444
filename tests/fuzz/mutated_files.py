"""Gives mutated files of all formats to a worker's loader, with a real helper, and tells what became of them.

usage: python -m tests.fuzz.mutated_files [--files 10000] [--seed 1] [--timeout 10]

Ends with 1 when something else than a refusal came out of a bad file, or when what was loaded before answers otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil

from inference.errors import BadInputError
from inference.versions.own_architecture import own_architecture
from tests.fuzz.mutations import SoundFile, mutate, sound_files
from workers.messages.protocol import VersionRef
from workers.messages.tensors import STRING
from workers.runtime.errors import ArchitectureError, RowsError, WeightsError
from workers.runtime.networks import LoadedVersion, Networks
from workers.runtime.weights_file import WeightsFileReader

NN_ID = "f" * 32
ROWS = 8
#: What is said of a helper that ended as it should not.
CRASHES = ("crashed the helper", "helper that reads weights files died", "ended its reader")
#: So little that each file that is loaded makes room for the next one.
MEMORY_BYTES = 4 * 1024**2


@dataclass
class Summary:
    """What became of the files."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    rss_before: int = 0
    rss_after: int = 0
    helper_rss: int = 0

    def table(self) -> str:
        """For people."""
        outcomes = ["loaded", "refused", "crashed the helper", "too slow", "FAILED"]
        kinds = sorted({kind for kind, _ in self.outcomes})
        lines = [f"{'':12}" + "".join(f"{each:>20}" for each in outcomes)]
        lines += [f"{kind:12}" + "".join(f"{self.outcomes[kind, each]:>20}" for each in outcomes) for kind in kinds]
        mebibyte = 1024**2
        lines.append(f"worker RSS {self.rss_before // mebibyte} -> {self.rss_after // mebibyte} MiB, ")
        lines[-1] += f"helper's largest {self.helper_rss // mebibyte} MiB, slowest file {self.slowest_seconds:.2f} s"
        lines += [f"crash: {what} x {count}" for what, count in self.crashes.most_common()]
        return "\n".join([*lines, *self.failures[:20]])


class Fuzz:
    """One loader, what it has loaded before, and the files that come."""

    def __init__(self, timeout_seconds: float) -> None:
        self._content: dict[str, bytes] = {}
        self._reader = WeightsFileReader(timeout_seconds)
        self._networks = Networks(self._fetch, self._reader, MEMORY_BYTES)
        self._files = sound_files()
        self._served = [self._load(files[0]) for files in self._files.values()]
        self._answers = [_answer(version) for version in self._served]
        self.summary = Summary()

    def _fetch(self, digest: str, target: Path) -> None:
        target.write_bytes(self._content[digest])

    def _load(self, file: SoundFile) -> LoadedVersion:
        """As an upload goes: the gateway reads the architecture, the worker the file."""
        architecture = file.architecture.encode() if file.architecture else own_architecture(file.content)
        if architecture is None:
            raise BadInputError("it brings no architecture")
        self._content = {hashlib.sha256(each).hexdigest(): each for each in (architecture, file.content)}
        name, digest = self._content
        return self._networks.acquire(VersionRef(NN_ID, 1, digest, name))

    def run(self, files: int, seed: int) -> Summary:
        """Give the loader so many files, of the seeds from `seed` on."""
        summary, process = self.summary, psutil.Process()
        for number in range(files):
            if number == min(files // 10, 200):
                summary.rss_before = process.memory_info().rss
            kind, mutation, file = mutate(self._files, seed + number)
            started = perf_counter()
            outcome = self._try(f"seed {seed + number}: {kind} {mutation}", file)
            summary.slowest_seconds = max(summary.slowest_seconds, perf_counter() - started)
            summary.outcomes[kind, outcome] += 1
            if number % 20 == 0:
                helpers = [each.memory_info().rss for each in process.children()]
                summary.helper_rss = max(summary.helper_rss, *helpers, 0)
                self._check_served(seed + number)
        self._check_served(seed + files)
        summary.rss_after = process.memory_info().rss
        self._reader.stop()
        return summary

    def _try(self, name: str, file: SoundFile) -> str:
        try:
            _answer(self._load(file))
        except (WeightsError, ArchitectureError, RowsError, BadInputError) as error:
            if any(each in str(error) for each in CRASHES):
                self.summary.crashes[f"{name.split(': ')[1]}: {error}"] += 1
                return "crashed the helper"
            return "too slow" if "was not read within" in str(error) else "refused"
        except Exception:  # noqa: BLE001 - it is what we look for
            self.summary.failures.append(f"{name}: {traceback.format_exc()}")
            return "FAILED"
        return "loaded"

    def _check_served(self, seed: int) -> None:
        if [_answer(version) for version in self._served] != self._answers:
            self.summary.failures.append(f"up to seed {seed}: what was loaded before answers otherwise")


def _answer(version: LoadedVersion) -> list[bytes]:
    """What it answers to a few rows, where it takes them."""
    random = np.random.default_rng(1)
    given = {}
    for each in version.architecture.inputs:
        shape = (ROWS, *(size or 3 for size in each.row_shape))
        numbers = random.integers(0, 3, shape) if each.numpy_dtype.kind in "iu" else random.random(shape)
        given[each.name] = np.full(shape, "a cat", object) if each.dtype == STRING else numbers.astype(each.numpy_dtype)
    answers = version.predict(given)
    return [repr(each.tolist()).encode() if each.dtype == object else each.tobytes() for each in answers.values()]


def main() -> None:
    """Run, print, and end with 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=10.0)
    options = parser.parse_args()
    started = perf_counter()
    summary = Fuzz(options.timeout).run(options.files, options.seed)
    print(summary.table())
    print(f"{options.files} files from seed {options.seed} on, {perf_counter() - started:.0f} s")
    sys.exit(1 if summary.failures else 0)


if __name__ == "__main__":
    main()
