"""Run pytest as on a processor without the newer vector instructions: `python tests/other_processor.py ARGUMENTS`.

PyTorch, oneDNN, MKL and NumPy choose their code by what the processor can do; results differ in the last digits. The
environment, which kernels and other processes inherit, makes all four choose the oldest code they have.
"""

import os
import sys

import numpy
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

OLD = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}

if __name__ == "__main__":
    assert numpy.__version__ >= "2", "NumPy 1 names its instruction sets in other ways"
    used = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    os.environ |= OLD | {"NPY_DISABLE_CPU_FEATURES": " ".join(used), "TAD_COURSE_OTHER_PROCESSOR": "1"}
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
