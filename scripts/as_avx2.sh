#!/usr/bin/env bash
# Run a command as on a processor that has AVX2 but neither AVX-512 nor bf16, even if this one has more:
#   scripts/as_avx2.sh .venv/bin/python -m pytest tests/models
# oneDNN, torch, MKL, OpenBLAS, NumPy and numba can be limited to AVX2; ONNX Runtime cannot.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(uname -m)" = x86_64 ] || { echo "as_avx2.sh: this is $(uname -m); expected x86_64" >&2; exit 1; }

export ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2
export MKL_ENABLE_INSTRUCTIONS=AVX2 OPENBLAS_CORETYPE=Haswell
# The cache is separate: numba numbers the files of a kernel, and two runs at once may give two kernels one number.
export NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES= NUMBA_CACHE_DIR="$PWD/.venv/numba-avx2"
# NumPy warns about features that it cannot disable, so list only those that it was built for and this processor has.
NPY_DISABLE_CPU_FEATURES=$(.venv/bin/python -c '
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print(*(name for name in __cpu_dispatch__ if name not in ("X86_V3", "AVX2", "FMA3") and __cpu_features__[name]))')
export NPY_DISABLE_CPU_FEATURES
exec "$@"
