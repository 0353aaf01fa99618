"""What was paid for, and why."""

from __future__ import annotations

from tests.programs.chaos.archive import Candidate
from tests.programs.chaos.evidence import Asked, Evidence, Paid
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.journal import Entry

_AT_ONCE = 4.0
"""Seconds in which an id is recorded, even on a machine that has too much to do."""
_TAKES = 6.0
"""The same while Redis or the way to it is in trouble."""


def paid_once(evidence: Evidence) -> list[Finding]:
    """What was paid for is the image of a candidate. Any other image has a cause: its attempt was
    cancelled, or its response's id could not be recorded."""
    owners = {r: key for key, known in evidence.responses.items() for r in known}
    used = _used(evidence)
    found = []
    for paid in evidence.paid:
        if paid.response_id in used:
            continue
        key = owners.get(paid.response_id)
        what = f"{paid.response_id} of {paid.word or 'nobody'} was paid for and is shown nowhere"
        cause = _why_unused(evidence, key) if key else _why_unknown(evidence, paid)
        found.append(Finding("paid_once", what, key[0] if key else "", cause))
    return found + _missing(evidence)


def _used(evidence: Evidence) -> set[str]:
    return {
        candidate["response_id"]
        for session in evidence.last.values()
        for attempt in session.attempts
        for candidate in attempt["candidates"]
        if candidate["width"]
    }


def _missing(evidence: Evidence) -> list[Finding]:
    """An image that nobody paid for would be somebody else's."""
    paid = {paid.response_id for paid in evidence.paid}
    strange = sorted(_used(evidence) - paid)
    return [Finding("paid_once", f"{each} is shown and was never paid for") for each in strange]


def _why_unused(evidence: Evidence, key: Candidate) -> str:
    """Its id was recorded: then only a person can have made it useless."""
    session = evidence.last.get(key[0])
    if session is not None and session.attempts[key[1] - 1]["failure"] == "cancelled":
        return "cancelled when it was nearly there"
    return ""


def _why_unknown(evidence: Evidence, paid: Paid) -> str:
    """Its id was never seen recorded: what kept it from being so."""
    asked = next((a for a in evidence.asked if a.response_id == paid.response_id), None)
    if asked is None:
        return ""
    if asked.told == 0 and asked.outcome == "connection_dropped":
        return "the provider's answer was lost before its id"
    if fault := _in_the_way(evidence, asked):
        target, after = fault.facts.get("target") or "it", fault.at - asked.at
        return f"{fault.what}, {target}, {after:+.1f} s from when it was asked for"
    if _cancelled_then(evidence, asked):
        return "cancelled while it was being asked for"
    return ""


def _in_the_way(evidence: Evidence, asked: Asked) -> Entry | None:
    """The fault that kept the id from being recorded: the worker that had asked died right after,
    or its way to Redis or the provider was broken then."""
    deaths = {"kill", "term"}
    for fault in evidence.journal.during(asked.at - 0.3, asked.at + _TAKES, "fault"):
        target = str(fault.facts.get("target", ""))
        died = fault.what in deaths or fault.what.startswith("step")
        if died and target == asked.by and fault.at <= asked.at + _AT_ONCE:
            return fault
        ways = {f"{asked.by}-redis", f"{asked.by}-openai"}
        if fault.what in {"restart redis", "freeze redis"} or target in ways:
            return fault
    return None


def _cancelled_then(evidence: Evidence, asked: Asked) -> bool:
    return any(
        act.facts.get("visit") == asked.word and act.overlaps(asked.at - 2.0, asked.at + _TAKES)
        for act in evidence.acts("Cancel")
    )


def known_responses_are_not_asked_anew(evidence: Evidence) -> list[Finding]:
    """Who knows the id of a response that brings an image, never asks for that image again."""
    paid = {paid.response_id for paid in evidence.paid}
    return [
        Finding(
            "known_responses_are_not_asked_anew",
            f"attempt {key[1]}, candidate {key[2]}: {known}",
            key[0],
        )
        for key, known in evidence.responses.items()
        if any(each in paid for each in known[:-1])
    ]
