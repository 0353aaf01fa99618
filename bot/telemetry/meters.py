"""Counts images and their failures, the ends of jobs, refusals, errors of Slack, and requests that
nobody handles."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.domain.errors import PaidCallNotMade
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.refusals import Refusal
from bot.telemetry.metrics import (
    GENERATION_SECONDS,
    IMAGES_IN_FLIGHT,
    IMAGES_PAID,
    JOB_KINDS,
    JOB_SECONDS,
    JOBS,
    LIMIT_REFUSALS,
    LIMITS,
    OTHER,
    PROVIDER_ERRORS,
    SLACK_ERRORS,
    UNHANDLED,
)

_MOST_CODES = 100
_CODE = re.compile(r"[a-z][a-z0-9_]{0,49}")
_PAID_FAILURES = {FailureKind.BAD_IMAGE, FailureKind.CUT_IMAGE}
"""The failures that come after the provider has made an image."""
_slack_codes: set[str] = set()
_types: set[str] = set()


class GenerationMeter:
    """Counts the images of one backend; `backend` is its name in the settings."""

    def __init__(self, backend: str) -> None:
        self._paid = IMAGES_PAID.labels(backend)
        self._ok = GENERATION_SECONDS.labels(backend, "ok")
        self._failed = GENERATION_SECONDS.labels(backend, "failed")

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Count the image that the body makes, or its failure. One that is cancelled, or for which
        nothing was asked, says nothing about the provider."""
        started = time.perf_counter()
        with IMAGES_IN_FLIGHT.track_inprogress():
            try:
                yield
            except PaidCallNotMade:
                raise
            except Exception as error:
                kind = error.kind if isinstance(error, GenerationError) else FailureKind.INTERNAL
                PROVIDER_ERRORS.labels(kind.value).inc()
                self._failed.observe(time.perf_counter() - started)
                if kind in _PAID_FAILURES:
                    self._paid.inc()
                raise
        self._paid.inc()
        self._ok.observe(time.perf_counter() - started)


def count_job(kind: object, outcome: str, seconds: float) -> None:
    """`kind` is as the queue has it; `seconds` count where the run came to its end."""
    known = str(kind) if kind in JOB_KINDS else OTHER
    JOBS.labels(known, outcome).inc()
    if outcome in {"done", "failed"}:
        JOB_SECONDS.labels(known).observe(seconds)


def count_slack_error(method: str, code: object) -> None:
    """`method` is written in the program; `code` comes from Slack. What has not the form of an
    error code is `other`, and so is any code after the first `_MOST_CODES`."""
    SLACK_ERRORS.labels(method, _known_word(str(code), _slack_codes)).inc()


def count_refusal(refusal: Refusal) -> None:
    """Counts a refusal by a limit, and no other."""
    if refusal.limit in LIMITS:
        LIMIT_REFUSALS.labels(refusal.limit).inc()


def count_unhandled(kind: str) -> str:
    """`kind` comes from Slack, too, and is a label under the same rule; answers that label."""
    label = _known_word(kind, _types)
    UNHANDLED.labels(label).inc()
    return label


def _known_word(word: str, known: set[str]) -> str:
    if word not in known and len(known) < _MOST_CODES and _CODE.fullmatch(word):
        known.add(word)
    return word if word in known else OTHER
