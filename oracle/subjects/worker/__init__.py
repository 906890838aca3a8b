"""The Python worker: loads one engine, computes programs with it, and sends back numbers.

Runs in a process of its own, under another name, without site-packages; imports nothing but the standard
library; never sees an expected value. Read in this order:

main      the process: its descriptors and limits, one message in, one message out
load      a target becomes namespaces; what may be imported, and what stands in for the rest
source    which statements of a file or notebook are run at all
find      namespaces become an Engine: by name first, then by trial
engine    how one engine is spoken to: make, read, write, call, back-propagate
run       one case on an engine: build, steps, observations, or what went wrong
trace     one case again, watched line by line
"""
