"""Whether the Triton of NVIDIA's wheel runs on this machine; as a program it says why not, and ends with 1."""

from __future__ import annotations

import platform
import sys
from ctypes.util import find_library

GLIBC = (2, 35)
#: Those that NumPy 1 has releases for, and we have.
PYTHONS = ((3, 11), (3, 12))


def why_not() -> str:
    """Why it does not run here; nothing when it does."""
    python = "{}.{}".format(*sys.version_info)
    library, version = platform.libc_ver()
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "its wheel is for Linux on x86_64"
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < GLIBC:
        return f"its wheel needs glibc {GLIBC[0]}.{GLIBC[1]}, and this is {library or 'another library'} {version}"
    if sys.version_info[:2] not in PYTHONS:
        return f"its Python backend takes NumPy 1, which has no release for Python {python}"
    if find_library(f"python{python}") is None:
        return f"its Python backend needs libpython{python}, which is not installed (apt-get install libpython{python})"
    return ""


if __name__ == "__main__":
    sys.exit(why_not() or 0)
