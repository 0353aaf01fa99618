"""How many examples hypothesis tries, and which."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

PROFILE = "HYPOTHESIS_PROFILE"

settings.register_profile(
    "short",
    derandomize=True,
    deadline=None,
    print_blob=True,
    max_examples=25,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "long",
    settings.get_profile("short"),
    derandomize=False,
    max_examples=3_000,
    stateful_step_count=80,
)


TIMEOUT = 600 if os.environ.get(PROFILE, "short") == "short" else 4 * 3600
"""Seconds for a test: one that fails is tried again and again, to find its simplest example."""


def load_profile() -> None:
    """Of the environment: `short`, the same examples in each run, or `long`, others each time."""
    settings.load_profile(os.environ.get(PROFILE, "short"))


def examples(share: float) -> int:
    """A share of the profile's number of examples, for a test whose examples cost more or less."""
    profile = settings.get_profile(os.environ.get(PROFILE, "short"))
    return max(1, round(profile.max_examples * share))
