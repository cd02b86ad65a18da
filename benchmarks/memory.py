"""The most memory a process has held: python benchmarks/memory.py generate --label kick --out sounds

Runs one `tad-course` command in this process and prints its peak resident memory in MB last.
"""

import sys
from pathlib import Path


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux, because there ru_maxrss also remembers the process that started this one
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


if __name__ == "__main__":
    from tad_course.cli import main

    status = main(sys.argv[1:])
    print(peak_mb())
    sys.exit(status)
