"""PyTorch as the judge of minigrad: float64, one thread, scalar kernels."""

import os

# Before torch is imported: vectorised kernels differ from the scalar ones in the last bit.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch

torch.set_num_threads(1)
