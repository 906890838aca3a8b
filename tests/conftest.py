"""What all tests share: PyTorch's kernels as the reference uses them."""

import os

os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")
