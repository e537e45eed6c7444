"""Training the sum network, and the command that does it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from workers.runtime.errors import ArchitectureError
from workers.runtime.training import (
    TrainedNetwork,
    draw_training_rows,
    measure_served_error,
    measure_worst_error,
    train_sum_network,
)

ROOT = Path(__file__).parents[4]
CONFIG = (ROOT / "data" / "sum_network.json").read_text(encoding="utf-8")
NN_ID = "000127a35b5f462b8ec68fb4d905ac36"

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def true_sum(rows: NDArray[np.float32]) -> NDArray[Any]:
    sums: NDArray[Any] = rows.astype(np.float64).sum(axis=1, keepdims=True)
    return sums


def train_shortly(
    *, config: str = CONFIG, seed: int = 1, epochs: int = 1, batch_size: int = 20, training_rows: int = 200
) -> TrainedNetwork:
    return train_sum_network(config, seed=seed, epochs=epochs, batch_size=batch_size, training_rows=training_rows)


def test_the_recipe_is_within_a_hundredth_everywhere_with_the_batch_size_that_gives_the_fewest_steps() -> None:
    assert train_sum_network(CONFIG, epochs=20, batch_size=5, seed=2).worst_error < 0.01


def test_the_error_told_is_that_of_the_weights_returned() -> None:
    trained = train_shortly()

    assert trained.worst_error == measure_served_error(CONFIG, trained.weights)
    assert trained.worst_error > 0.01, "a training this short cannot be good: the error is not measured"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    first, again, other = (train_shortly(seed=seed).weights for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_progress_rises_to_the_number_of_epochs() -> None:
    told: list[float] = []

    train_sum_network(CONFIG, epochs=2, batch_size=8, seed=1, training_rows=200, on_progress=told.append)

    assert told == sorted(told)
    assert told[-1] == 2
    assert len(told) > 2


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batch_size": 0}, {"training_rows": 0}, {"seed": -1}, {"seed": 2**32}]
)
def test_an_argument_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        train_shortly(**wrong)


def test_an_architecture_of_another_shape_is_refused() -> None:
    config = json.loads(CONFIG)
    config["config"]["layers"][-1]["config"]["units"] = 3

    with pytest.raises(ArchitectureError, match="one number of two"):
        train_shortly(config=json.dumps(config))


def test_training_rows_cover_the_square_with_its_edges_and_corners() -> None:
    rows = draw_training_rows(seed=1, count=4000)
    on_edge = (rows == 0) | (rows == 1)

    assert rows.shape == (4000, 2)
    assert (rows >= 0).all()
    assert (rows <= 1).all()
    assert 0.2 < on_edge.any(axis=1).mean() < 0.5
    assert len(np.unique(rows[on_edge.all(axis=1)], axis=0)) == 4


def test_a_perfect_sum_has_no_error() -> None:
    assert measure_worst_error(true_sum) == 0


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_an_error_in_one_corner_only_is_found(corner: tuple[int, int]) -> None:
    def wrong_in_a_corner(rows: NDArray[np.float32]) -> NDArray[Any]:
        sums: NDArray[Any] = true_sum(rows) - 0.25 * (rows == corner).all(axis=1, keepdims=True)
        return sums

    assert measure_worst_error(wrong_in_a_corner) == 0.25


def run_command(*arguments: str) -> str:
    output = StringIO()
    call_command("train_network", "--epochs", "1", "--batch-size", "1000", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_writes_weights_under_the_name_that_their_crc_gives(tmp_path: Path) -> None:
    printed = run_command("--nn-id", NN_ID, "--seed", "7", "--output-dir", str(tmp_path / "new" / "folder"))

    (path,) = (tmp_path / "new" / "folder").iterdir()
    weights = base64.b64decode(path.read_bytes(), validate=True)
    assert path.name == f"{NN_ID}_{zlib.crc32(weights):08x}.b64"
    assert (
        printed == f"{path}: worst error {measure_served_error(CONFIG, weights):.6f} over the whole square (seed 7)\n"
    )


def test_the_command_names_networks_at_random_and_tells_the_seed_that_repeats_one(tmp_path: Path) -> None:
    seed = run_command("--output-dir", str(tmp_path)).split()[-1].rstrip(")")
    run_command("--output-dir", str(tmp_path), "--seed", seed)

    first, second = (path.stem.split("_") for path in tmp_path.iterdir())
    assert first[0] != second[0]
    assert first[1] == second[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--nn-id", NN_ID.upper()], "--nn-id must be 32 lower-case hex digits"),
        (["--nn-id", ""], "--nn-id must be 32 lower-case hex digits"),
        (["--epochs", "0"], "--epochs and --batch-size must be 1 at least"),
        (["--batch-size", "0"], "--epochs and --batch-size must be 1 at least"),
        (["--seed", "-1"], "--seed must be between 0 and 4294967295"),
        (["--output-dir", "taken"], "no file can be written in taken: File exists"),
        (["--output-dir", "taken/deeper"], "no file can be written in taken/deeper: Not a directory"),
    ],
)
def test_the_command_refuses_bad_options_in_one_line(
    wrong: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").touch()

    with pytest.raises(CommandError, match=f"^{message}") as raised:
        run_command("--output-dir", ".", *wrong)

    assert "\n" not in str(raised.value)
    assert raised.value.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_the_command_refuses_a_default_architecture_that_cannot_be_read(tmp_path: Path, settings: Any) -> None:
    settings.PIPELINE_DEFAULT_ARCHITECTURE = tmp_path / "missing.json"

    with pytest.raises(CommandError, match=r"PIPELINE_DEFAULT_ARCHITECTURE cannot be read: .*missing\.json"):
        run_command("--output-dir", str(tmp_path))


def test_ctrl_c_stops_the_command_with_one_line_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workers.runtime.fitting.fit_model", interrupt)

    with pytest.raises(CommandError, match="stopped before the end: nothing was written") as raised:
        run_command("--output-dir", str(tmp_path))

    assert raised.value.returncode == 130
    assert not list(tmp_path.iterdir())


def test_tensorflow_is_not_imported_before_the_training_starts() -> None:
    code = """
import sys, django
from django.core.management import CommandError, call_command
django.setup()
try:
    call_command("train_network", "--epochs", "0")
except CommandError:
    sys.exit(bool({"tensorflow", "keras"} & set(sys.modules)))
sys.exit("the command took 0 epochs")
"""
    environment = {"DJANGO_SETTINGS_MODULE": "gateway_site.settings"}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (0, b"")
