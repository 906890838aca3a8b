"""The Python worker: loads one engine, computes programs with it, and sends back numbers.

Runs in a process of its own, under another name, without site-packages; imports nothing but the standard
library; never sees an expected value. Read in this order:

main      the process: its descriptors and limits, one message in, one message out
load      a target becomes its modules, or a sentence; modules: what an import finds; standin: what it does not
source    which statements of a file or notebook are run at all
find      namespaces become an Engine, by name first, then by trial: its class; find_backward: its gradient, asking:
          where each value is asked for it; find_ops: its spelling of every op
engine    how one engine is spoken to: make, read, write, call, back-propagate; keeping: where its gradients are
run       one case on an engine: build, steps, observations, or what went wrong
network   an MLP beside the engine
trace     one case again, watched; follow: its forward line by line; stores: its backward; statements: lines

Types are imported for type checkers only: `typing` would add 2 ms to every start.
"""
