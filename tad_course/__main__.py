"""`python -m tad_course`: the same as the program `tad-course`; what the commands do is in `cli.py`."""

import sys

from tad_course.cli import main

if __name__ == "__main__":
    sys.exit(main())
