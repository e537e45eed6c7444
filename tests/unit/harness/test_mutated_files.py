"""A short run of tests/fuzz: mutated files are refused or loaded, and do nothing else."""

from __future__ import annotations

import pytest

from tests.fuzz.mutated_files import Fuzz
from tests.fuzz.mutations import mutate, sound_files

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_mutated_files_harm_nobody() -> None:
    summary = Fuzz(20.0).run(200, seed=1)

    assert summary.failures == []
    refused = sum(count for (_, outcome), count in summary.outcomes.items() if outcome == "refused")
    assert refused > 50
    assert {kind for kind, _ in summary.outcomes} == set(sound_files())
    assert summary.rss_after - summary.rss_before < 64 * 1024**2


def test_the_same_seed_makes_the_same_file() -> None:
    files = sound_files()

    assert [mutate(files, seed) for seed in range(20)] == [mutate(files, seed) for seed in range(20)]
