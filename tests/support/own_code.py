"""An operator's own code: modules under tests/data/own_code, imported as a worker imports them, and forgotten again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workers.runtime import own_code
from workers.runtime.backend import keras
from workers.settings import ROOT

#: What PYTHONPATH names on a host that has them.
FOLDER = ROOT / "tests" / "data" / "own_code"


@contextmanager
def imported(*modules: str) -> Iterator[None]:
    """Have the modules imported in this process, as PIPELINE_MODULES names them."""
    registry = keras.saving.get_custom_objects()
    kept = dict(registry), set(own_code._registered), dict(own_code._failed), list(sys.path)
    sys.path.insert(0, str(FOLDER))
    try:
        own_code.import_modules(modules)
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "team"]:
            del sys.modules[name]
        for now, before in zip((registry, own_code._registered, own_code._failed), kept, strict=False):
            now.clear()
            now.update(before)
        sys.path[:] = kept[3]
