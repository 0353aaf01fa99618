"""What is left in Redis."""

from __future__ import annotations

import re

from bot.domain.jobs import JobKind
from bot.jobs.sweeper import INTERVAL as SWEEP
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding

LASTING = {
    r"\{imagine\}:imagine-(generate|publish):meta": "BullMQ's settings of a queue, one hash each",
    r"\{imagine\}:imagine-(generate|publish):id": "BullMQ's counter, one number each",
    r"\{imagine\}:imagine-(generate|publish):events": "BullMQ's stream, which it trims to 10,000",
    r"\{imagine\}:imagine-(generate|publish):(completed|failed)": (
        "ids of ended jobs; BullMQ takes them out by age when the next one ends"
    ),
    r"\{imagine\}:imagine-(generate|publish):(marker|pc|stalled)": (
        "BullMQ's word to waiting workers and its list of suspects, one each"
    ),
}
"""Keys that may be there for ever, and why. Jobs that have ended are looked at by themselves."""

_LASTING = re.compile("|".join(f"(?:{pattern})" for pattern in LASTING))
_JOB = re.compile(rf"\{{imagine\}}:imagine-(generate|publish):(?:{'|'.join(JobKind)})-.+")


def keys_expire(evidence: Evidence) -> list[Finding]:
    """No key stays for ever but the few that are named here; a job's hash is there for as long as
    BullMQ lists it as ended."""
    name, found = "keys_expire", []
    for key in evidence.keys:
        expired = key.kind == "none"
        if expired or key.ttl >= 0 or _LASTING.fullmatch(key.name):
            continue
        if _JOB.fullmatch(key.name):
            if key.name not in evidence.settled_jobs:
                found.append(Finding(name, f"{key.name} is in no list"))
            continue
        found.append(Finding(name, f"{key.name} ({key.kind}) has no TTL"))
    return found


def no_slot_is_held(evidence: Evidence) -> list[Finding]:
    """The slots of killed workers are free since their leases ended; those of the others were given
    back as they stopped."""
    return [
        Finding("no_slot_is_held", f"{key.name} is held for {key.ttl} s more")
        for key in evidence.keys
        if key.name.startswith("{imagine}:provider:slot:") and key.kind != "none"
    ]


def no_ticket_is_left(evidence: Evidence) -> list[Finding]:
    """What waits for its turn with Slack is gone a sweep after its process was killed."""
    return [
        Finding("no_ticket_is_left", f"{key.name} is there for {key.ttl} s more")
        for key in evidence.keys
        if re.fullmatch(r"imagine:\{.+\}:pace:.+:(tickets|missed)", key.name)
        and key.kind != "none"
        and not 0 <= key.ttl <= SWEEP
    ]


def nobody_waits(evidence: Evidence) -> list[Finding]:
    """No image counts as waiting of a session in which none waits."""
    return [
        Finding("nobody_waits", f"{key.name} is there")
        for key in evidence.keys
        if re.fullmatch(r"imagine:\{.+\}:waiting:.+", key.name) and key.kind != "none"
    ]


def images_are_in_their_keys(evidence: Evidence) -> list[Finding]:
    """Bytes of images are in `generated_image` keys, and nowhere else."""
    return [
        Finding("images_are_in_their_keys", f"{key.name} holds an image")
        for key in evidence.keys
        if key.has_image and ":generated_image:" not in key.name
    ]


def nothing_is_owed(evidence: Evidence) -> list[Finding]:
    """All came to an end in time, and the list of unfinished sessions is empty."""
    left = evidence.left
    return [Finding("nothing_is_owed", f"{left}")] if left else []


def no_job_is_stuck(evidence: Evidence) -> list[Finding]:
    """No job waits, is delayed or is held by a worker."""
    return [
        Finding("no_job_is_stuck", f"{count} in {name}")
        for name, count in evidence.jobs.items()
        if count
    ]
