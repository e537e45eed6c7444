"""Ties a program to the process that started it, then becomes that program: `leash.py PARENT SIGNAL PROGRAM ARGS…`.

It runs as a script of its own, because a `preexec_fn` is not safe in a process with threads. On Linux the kernel sends
SIGNAL when the parent ends, however it ends; elsewhere the program is started without that tie.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, signal_number: int, program: list[str]) -> None:
    """Replace this process by `program`; exit status 127 with one line when it cannot be run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the tie was made
            sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is meant
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
