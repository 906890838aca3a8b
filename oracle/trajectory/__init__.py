"""Scripts and their training: every backward call and every update of a run, judged from its own state."""

from oracle.trajectory.diffing import Diffed, diff_script
from oracle.trajectory.steps import Step

__all__ = ["Diffed", "Step", "diff_script"]
