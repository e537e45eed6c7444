"""Another commit of this repository, in a folder and an environment of its own, and the system that it makes.

Nothing of it is imported here: its processes are started by their command lines, with its own Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.supervision import programs
from inference.supervision.processes import Child
from tests.support.system import System, clean_environment
from workers.settings import ROOT

#: Where they are kept from one run to the next.
KEPT = ROOT / "var" / "bench" / "against"
#: How a checkout makes its environment, or brings it up to date.
ENVIRONMENT = "scripts/_environment.sh"
SET_UP = f"set -euo pipefail; source {ENVIRONMENT}; set_up_environment runtime"
SET_UP_SECONDS = 1800
MIGRATE = ("manage.py", "migrate", "--no-input", "--verbosity", "0")
#: The gateway's application: that of today's commits, or of older ones.
APPLICATIONS = ("gateway_site/asgi.py", "gateway_site/wsgi.py")


@dataclass(frozen=True)
class Checkout:
    """One commit's files, and the interpreter that has what they want."""

    commit: str
    root: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.root / ".venv" / "bin" / "python")

    @property
    def application(self) -> str:
        """The module that its gunicorn is given.

        Raises:
            AssertionError: it has none that we know.
        """
        found = [name for name in APPLICATIONS if (self.root / name).exists()]
        assert found, f"{self.commit} has none of {', '.join(APPLICATIONS)}"
        return found[0].removesuffix(".py").replace("/", ".")

    def adopt(self, child: Child) -> Child:
        """Have a program of ours, which is not started yet, be this commit's."""
        child.argv[0], child.cwd = self.python, self.root
        return child

    def gateway(self, directory: Path, environment: dict[str, str]) -> Child:
        """Its gateway."""
        gateway = self.adopt(programs.gateway(directory, environment))
        gateway.argv[-1] = self.application
        return gateway

    def migrate(self, environment: dict[str, str]) -> None:
        """Bring a database up to date with its own migrations.

        Raises:
            AssertionError: that failed.
        """
        done = subprocess.run(
            [self.python, *MIGRATE], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{self.commit}: its migrations failed: {done.stderr[-2000:]}"


class OtherSystem(System):
    """A whole Pipeline of another commit; asked and watched as ours."""

    def __init__(self, checkout: Checkout, directory: Path, broker_url: str, *more: str, **settings: str) -> None:
        super().__init__(directory, broker_url, *more, **settings)
        self._checkout = checkout
        self.gateway = checkout.gateway(directory, self.environment)

    def start(self, workers: int, *, embedded: bool = False) -> System:
        """As `System` does, with the other commit's programs."""
        self._checkout.migrate(self.environment)
        self.gateway.start()
        for _ in range(workers):
            self.add_worker()
        return self.wait_for_workers(workers + embedded)

    def add_worker(self, launch: Callable[[list[str]], list[str]] = lambda argv: argv, **environment: str) -> Child:
        """As `System` does, with the other commit's worker."""
        needed = clean_environment() | self.worker_environment | environment
        worker = self._checkout.adopt(programs.worker(len(self.workers) + 1, self.directory, needed))
        worker.argv = launch(worker.argv)
        worker.start()
        self.workers.append(worker)
        return worker


def check_out(commit: str, repository: Path = ROOT, kept: Path = KEPT) -> Checkout:
    """A commit, by any name that git knows: made when it is not there yet, with its environment.

    Raises:
        RuntimeError: there is none of that name, or it could not be set up.
    """
    try:
        name = _git(repository, "rev-parse", "--short", "--verify", f"{commit}^{{commit}}")
    except RuntimeError as error:
        raise RuntimeError(f"git knows no commit of that name here ({error})") from error
    root = kept / name
    if not root.exists():
        kept.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept) as folder:
            whole = Path(folder) / name
            _git(repository, "clone", "--quiet", "--no-checkout", str(repository), str(whole))
            _git(whole, "checkout", "--quiet", "--detach", name)
            whole.rename(root)
    _set_up(name, root)
    return Checkout(name, root)


def _set_up(name: str, root: Path) -> None:
    if not (root / ENVIRONMENT).exists():
        raise RuntimeError(f"{name} has no {ENVIRONMENT}, which would make its environment")
    print(f"the environment of {name}, in {root.parent}:", file=sys.stderr, flush=True)
    # With the same Python as ours, unless another one is asked for.
    environment = {"PIPELINE_PYTHON": sys.executable, **os.environ}
    command = ["bash", "-c", SET_UP, "bench"]
    done = subprocess.run(command, cwd=root, env=environment, timeout=SET_UP_SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the environment of {name} could not be made")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
