"""What this machine has: tiers of isolation that work here."""

from __future__ import annotations

from oracle.subjects import TIERS, NoIsolation, require_tier


def _works(tier: str) -> bool:
    try:
        return require_tier(tier=tier) == tier
    except NoIsolation:
        return False


WORKING = tuple(tier for tier in TIERS if _works(tier))
"""Names of the tiers, the strongest first."""
