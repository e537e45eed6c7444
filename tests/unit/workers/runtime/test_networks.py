"""The versions that a worker holds: each loaded once, the last used ones kept, and none in another's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.samples import NN_ID, OTHER_NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime import loading as loading_module
from workers.runtime import networks as networks_module
from workers.runtime.errors import SupplyError
from workers.runtime.networks import VERSIONS_A_NETWORK, Networks
from workers.runtime.wanted_weights import WantedWeights
from workers.runtime.written_weights import WrittenWeights

SOON_SECONDS = 10.0
SIZE = 10 * 1024**2
#: Enough for three versions of one architecture, or two of two.
MEMORY = 4 * SIZE + SIZE // 2
# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def version(number: int, architecture: str = "b" * 64) -> VersionRef:
    return VersionRef(NN_ID, number, f"{number:064x}", architecture)


@dataclass(frozen=True)
class PretendedWeights:
    """What a pretended architecture makes of a file."""

    content: str
    size_bytes: int = SIZE


class PretendedArchitecture:
    """Takes any file's text for weights."""

    wanted = WantedWeights("pretended", (), dense_chain=False)
    size_bytes = SIZE

    def __init__(self, config: str, max_bytes: int) -> None:
        self.config = config

    def load(self, file: Path) -> PretendedWeights:
        return PretendedWeights(file.read_text())


class PretendedReader:
    """Finds every file clean."""

    def read(self, source: Path, target: Path, wanted: object) -> WrittenWeights:
        target.write_bytes(source.read_bytes())
        return WrittenWeights("hdf5")


class Files:
    """Where files come from: notes each fetch, and does first what a test wants done."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.before: Callable[[str], object] = lambda _: None

    def fetch(self, digest: str, target: Path) -> None:
        self.fetched.append(digest)
        self.before(digest)
        target.write_text(digest)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def networks(files: Files, monkeypatch: pytest.MonkeyPatch) -> Networks:
    monkeypatch.setattr(loading_module, "Architecture", PretendedArchitecture)
    monkeypatch.setattr(networks_module, "settle_memory", lambda _: None)
    return Networks(files.fetch, PretendedReader(), MEMORY)  # type: ignore[arg-type]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_version_is_made_of_the_files_it_names(networks: Networks) -> None:
    loaded = networks.acquire(version(1))

    assert loaded.architecture.config == "b" * 64  # type: ignore[attr-defined]
    assert loaded.weights == PretendedWeights(version(1).digest)


def test_a_version_is_loaded_once(networks: Networks, files: Files) -> None:
    assert networks.acquire(version(1)) is networks.acquire(version(1))
    assert files.fetched == [version(1).architecture, version(1).digest]


def test_a_version_is_loaded_once_however_many_threads_ask(
    networks: Networks, files: Files, pool: ThreadPoolExecutor
) -> None:
    barrier = threading.Barrier(8)

    def acquire(_: int) -> object:
        barrier.wait(SOON_SECONDS)
        return networks.acquire(version(1))

    loaded = list(pool.map(acquire, range(8)))

    assert len(set(map(id, loaded))) == 1
    assert files.fetched.count(version(1).digest) == 1


def test_versions_of_one_architecture_share_it(networks: Networks, files: Files) -> None:
    assert networks.acquire(version(1)).architecture is networks.acquire(version(2)).architecture
    assert files.fetched.count("b" * 64) == 1


def test_the_same_weights_under_another_architecture_are_another_version(networks: Networks) -> None:
    first, second = networks.acquire(version(1)), networks.acquire(version(1, architecture="d" * 64))

    assert first.architecture is not second.architecture


def test_a_version_is_held_from_its_loading_on(networks: Networks) -> None:
    assert not networks.holds(version(1))
    networks.acquire(version(1))
    assert networks.holds(version(1))
    assert not networks.holds(version(2))


def test_the_last_used_versions_are_kept(networks: Networks, files: Files) -> None:
    for number in (1, 2, 3):
        networks.acquire(version(number))
    networks.acquire(version(1))
    networks.acquire(version(4))

    assert [number for number in (1, 2, 3, 4) if networks.holds(version(number))] == [1, 3, 4]


def test_a_network_keeps_its_last_used_versions_and_those_of_others(networks: Networks, files: Files) -> None:
    networks._memory_bytes = 100 * MEMORY
    other = VersionRef(OTHER_NN_ID, 1, f"{1:064x}", "b" * 64)
    networks.acquire(other)
    for number in range(1, VERSIONS_A_NETWORK + 1):
        networks.acquire(version(number))
    networks.acquire(version(1))
    networks.acquire(version(99))

    assert networks.holds(other)
    assert [n for n in range(1, VERSIONS_A_NETWORK + 1) if not networks.holds(version(n))] == [2]


def test_an_architecture_goes_with_its_last_version_and_its_memory_is_reclaimed(
    networks: Networks, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaimed: list[bool] = []
    monkeypatch.setattr(networks_module, "settle_memory", reclaimed.append)
    networks._memory_bytes = 100 * MEMORY
    for number in range(1, VERSIONS_A_NETWORK + 3):
        networks.acquire(version(number, architecture=f"{number:064x}"))

    assert reclaimed == [False] * VERSIONS_A_NETWORK + [True] * 2
    assert len(networks._architectures.names()) == VERSIONS_A_NETWORK


def test_an_architecture_whose_weights_were_refused_is_not_kept(networks: Networks, files: Files) -> None:
    def fail(digest: str) -> None:
        if digest == version(1).digest:
            raise SupplyError("no gateway has the file")

    files.before = fail
    with pytest.raises(SupplyError):
        networks.acquire(version(1))

    assert networks._architectures.names() == []


def test_a_version_that_was_let_go_goes_on_answering_those_who_have_it(networks: Networks) -> None:
    loaded = networks.acquire(version(1))
    for number in (2, 3, 4):
        networks.acquire(version(number))

    assert not networks.holds(version(1))
    assert loaded.weights.content == version(1).digest  # type: ignore[attr-defined]


def test_a_version_larger_than_the_memory_is_loaded_all_the_same(networks: Networks, files: Files) -> None:
    networks = Networks(files.fetch, PretendedReader(), SIZE)  # type: ignore[arg-type]
    for number in (1, 2):
        networks.acquire(version(number))

        assert [networks.holds(version(other)) for other in (1, 2)] == [number == 1, number == 2]
        assert networks.free_bytes() < 0


def test_an_architecture_without_versions_makes_room(networks: Networks, files: Files) -> None:
    for number in (1, 2, 3):
        networks.acquire(version(number, architecture=f"{number}" * 64))

    assert [networks.holds(version(number, architecture=f"{number}" * 64)) for number in (1, 2, 3)] == [
        False,
        True,
        True,
    ]
    networks.acquire(version(1, architecture="1" * 64))
    assert files.fetched.count("1" * 64) == 2


def test_what_is_free_is_told(networks: Networks) -> None:
    before = networks.free_bytes()
    networks.acquire(version(1))

    assert before == MEMORY
    assert before - networks.free_bytes() >= 2 * SIZE


def test_a_version_that_was_let_go_is_loaded_again(networks: Networks, files: Files) -> None:
    for number in (1, 2, 3, 4):
        networks.acquire(version(number))
    networks.acquire(version(1))

    assert files.fetched.count(version(1).digest) == 2


def test_a_load_that_failed_is_tried_again(networks: Networks, files: Files) -> None:
    failures = [SupplyError("no gateway")]
    files.before = lambda _: raise_next(failures)
    with pytest.raises(SupplyError, match="no gateway"):
        networks.acquire(version(1))
    assert not networks.holds(version(1))

    networks.acquire(version(1))

    assert networks.holds(version(1))


def raise_next(failures: list[SupplyError]) -> None:
    if failures:
        raise failures.pop()


def test_a_load_that_failed_lets_go_of_no_version(networks: Networks, files: Files) -> None:
    for number in (1, 2, 3):
        networks.acquire(version(number))
    files.before = lambda _: raise_next([SupplyError("no gateway")])
    with pytest.raises(SupplyError):
        networks.acquire(version(4))

    assert all(networks.holds(version(number)) for number in (1, 2, 3))


def test_everybody_who_waits_for_a_load_hears_that_it_failed(
    networks: Networks, files: Files, pool: ThreadPoolExecutor
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def fail(_: str) -> None:
        started.set()
        go_on.wait(SOON_SECONDS)
        raise SupplyError("no gateway")

    files.before = fail
    first = pool.submit(networks.acquire, version(1))
    assert started.wait(SOON_SECONDS)
    others = [pool.submit(networks.acquire, version(1)) for _ in range(3)]
    go_on.set()

    for future in (first, *others):
        assert isinstance(future.exception(SOON_SECONDS), SupplyError)


def test_nobody_waits_for_the_loading_of_another_version(
    networks: Networks, files: Files, pool: ThreadPoolExecutor
) -> None:
    started, go_on = threading.Event(), threading.Event()
    networks.acquire(version(1))

    def block(digest: str) -> None:
        if digest == version(2).digest:
            started.set()
            go_on.wait(SOON_SECONDS)

    files.before = block
    blocked: Future[object] = pool.submit(networks.acquire, version(2))
    assert started.wait(SOON_SECONDS)

    pool.submit(networks.acquire, version(1)).result(SOON_SECONDS)
    pool.submit(networks.acquire, version(3)).result(SOON_SECONDS)

    assert not blocked.done()
    assert not networks.holds(version(2))
    go_on.set()
    blocked.result(SOON_SECONDS)
