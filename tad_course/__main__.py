"""`tad-course` as a program of its own, also `python -m tad_course`; what the commands do is in `cli.py`."""

import atexit
import os
import sys

from tad_course.cli import main


def run() -> None:
    """Run one command and leave with its exit status, without the tear-down of the libraries behind PyTorch.

    Their destructors read 130 MB of CUDA libraries back into memory, on machines without CUDA too, and take 0.4 s,
    all for a process that ends. Python's own clean-up takes place: the function that leaves is registered first,
    so it is called last, after every other `atexit` function.
    """
    status = 1  # of an exception, which Python has printed by then

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    atexit.register(leave)
    try:
        status = main()
    except SystemExit as stop:  # --help, --version and options that were not understood
        status = stop.code or 0


if __name__ == "__main__":
    run()
