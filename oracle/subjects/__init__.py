"""Subjects: engines under test, each in a process of its own, spoken to in lines of JSON (design, section 7)."""

from oracle.subjects.network import Network, NetworkAnswer
from oracle.subjects.subject import Subject, open_subject
from oracle.subjects.target import LoadError
from oracle.subjects.tracing import Place, Trace

__all__ = ["LoadError", "Network", "NetworkAnswer", "Place", "Subject", "Trace", "open_subject"]
