"""Subjects: engines under test, each in a process of its own, spoken to in lines of JSON (design, section 7)."""

from oracle.subjects.network import Network, NetworkAnswer
from oracle.subjects.subject import Subject, open_subject, require_tier
from oracle.subjects.target import LoadError
from oracle.subjects.tiers import TIERS, NoIsolation
from oracle.subjects.tracing import Place, Trace

__all__ = [
    "TIERS",
    "LoadError",
    "Network",
    "NetworkAnswer",
    "NoIsolation",
    "Place",
    "Subject",
    "Trace",
    "open_subject",
    "require_tier",
]
