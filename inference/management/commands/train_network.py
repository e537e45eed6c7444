"""`manage.py train_network`: trains the sum network and writes its weights as a file that /set_weights takes."""

from __future__ import annotations

import base64
import secrets
import tempfile
import uuid
import zlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from workers.messages.protocol import is_nn_id

SEED_LIMIT = 2**32


class Command(BaseCommand):
    """Train, show how far it is, write `<nn_id>_<crc32>.b64`, and say how good the network is."""

    help = "Train the network that adds two numbers from [0, 1], and write its weights to <nn_id>_<crc32>.b64"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; each one has a default."""
        parser.add_argument(
            "--epochs", type=int, default=20, help="times that every training row is seen, %(default)s by default"
        )
        parser.add_argument(
            "--batch-size", type=int, default=1, help="training rows in one step, %(default)s by default"
        )
        parser.add_argument("--nn-id", help="the network's id, 32 lower-case hex digits; random by default")
        parser.add_argument("--seed", type=int, help="makes the training repeatable; random by default")
        parser.add_argument(
            "--output-dir", type=Path, default=Path("data"), help="folder for the file, ./%(default)s by default"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check the options before the long part, then train and write."""
        epochs, batch_size, output_dir = options["epochs"], options["batch_size"], options["output_dir"]
        nn_id = uuid.uuid4().hex if options["nn_id"] is None else options["nn_id"]
        seed = secrets.randbelow(SEED_LIMIT) if options["seed"] is None else options["seed"]
        if epochs < 1 or batch_size < 1:
            raise CommandError("--epochs and --batch-size must be 1 at least")
        if not 0 <= seed < SEED_LIMIT:
            raise CommandError(f"--seed must be between 0 and {SEED_LIMIT - 1}")
        if not is_nn_id(nn_id):
            raise CommandError(f"--nn-id must be 32 lower-case hex digits, not {nn_id!r}")
        require_writable(Path(output_dir))

        weights, worst_error = train(epochs, batch_size, seed)
        path = Path(output_dir) / f"{nn_id}_{zlib.crc32(weights):08x}.b64"
        try:
            path.write_bytes(base64.b64encode(weights))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from error
        self.stdout.write(f"{path}: worst error {worst_error:.6f} over the whole square (seed {seed})")


def require_writable(folder: Path) -> None:
    """Make the folder when it is missing, and try to write in it.

    Raises:
        CommandError: no file can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CommandError(f"no file can be written in {folder}: {error.strerror}") from error


def train(epochs: int, batch_size: int, seed: int) -> tuple[bytes, float]:
    """The weights file and the worst error of a newly trained network; a progress bar goes to standard error.

    Raises:
        CommandError: the default architecture cannot be read, or is not that of a sum network; or Ctrl-C came.
    """
    try:
        config = Path(settings.PIPELINE_DEFAULT_ARCHITECTURE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"PIPELINE_DEFAULT_ARCHITECTURE cannot be read: {error}") from error

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("Starting TensorFlow", total=epochs)
        # TensorFlow takes seconds to import and hundreds of megabytes; no other command should pay for it.
        from workers.runtime.errors import ArchitectureError
        from workers.runtime.training import train_sum_network

        def show(epochs_done: float) -> None:
            epoch = min(int(epochs_done) + 1, epochs)
            progress.update(bar, completed=epochs_done, description=f"Epoch {epoch}/{epochs}")

        try:
            trained = train_sum_network(config, epochs=epochs, batch_size=batch_size, seed=seed, on_progress=show)
        except ArchitectureError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped before the end: nothing was written", returncode=130) from None
    return trained.weights, trained.worst_error
