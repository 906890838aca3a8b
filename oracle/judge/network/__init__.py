"""A subject's own MLP: the same parameters and samples through it and through PyTorch's formulas, and what differs.

A network is a choice of activations, one for the hidden layers and one for the last: they are found from its outputs.
With them it is a program, whose values and gradients the standard library knows. What it does wrong is named by a
catalogue of mistakes, each a network of another kind: only one that reproduces the outputs is named. Where the engine
is wrong itself, it is asked for the same program: a network that has its own engine's numbers is explained by it.
"""

from oracle.judge.network.judging import NetworkJudgement, judge_networks, unjudged
from oracle.judge.network.structure import NetworkFault

__all__ = ["NetworkFault", "NetworkJudgement", "judge_networks", "unjudged"]
