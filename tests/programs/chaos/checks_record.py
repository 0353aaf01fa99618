"""Whether the record stands, and tells what Slack shows and what the sessions came to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from tests.programs.chaos.archive import Stored
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding

_SHOWN_AS = {"draft": "shown", "final": "published"}
"""Kind of message → kind of entry."""


def record_stands(evidence: Evidence) -> list[Finding]:
    """No entry is missing, and no seal is broken."""
    return [Finding("record_stands", problem) for problem in evidence.record.problems]


def record_tells_what_slack_shows(evidence: Evidence) -> list[Finding]:
    """Each draft and each final message has one entry, and each such entry its message."""
    name, found = "record_tells_what_slack_shows", []
    for kind, entry in _SHOWN_AS.items():
        there = Counter(
            (_token(session_id), number, message.ts)
            for session_id in evidence.marked
            for number, message in evidence.of(session_id, kind)
        )
        told = Counter(
            (line.session, line.attempt, line.message)
            for line in evidence.record.lines
            if line.kind == entry
        )
        found += [Finding(name, f"no entry: {kind} {each}") for each in (there - told)]
        found += [Finding(name, f"no message: {entry} {each}") for each in (told - there)]
    return found


def record_names_the_bytes(evidence: Evidence) -> list[Finding]:
    """What a draft shows are images that the record says were generated for that attempt."""
    name, found = "record_names_the_bytes", []
    for session_id in evidence.marked:
        generated = evidence.record.of("generated", session_id)
        for number, message in evidence.of(session_id, "draft"):
            known = {line.sha256 for line in generated if line.attempt == number}
            shown = {hashlib.sha256(data).hexdigest() for data in message.shown_images() if data}
            if shown - known:
                what = f"draft {number} shows {len(shown - known)} unknown images"
                found.append(Finding(name, what, session_id))
    return found


def record_tells_what_was_asked_and_approved(evidence: Evidence) -> list[Finding]:
    """Each attempt was asked for once, and each approval is told once, with who gave it."""
    name = "record_tells_what_was_asked_and_approved"
    return [
        Finding(name, what, session.id)
        for session in evidence.last.values()
        if session.id in evidence.sessions
        for what in _untold(evidence, session)
    ]


def _untold(evidence: Evidence, session: Stored) -> Iterator[str]:
    asked = sorted(line.attempt for line in evidence.record.of("asked", session.id))
    numbers = sorted(attempt["number"] for attempt in session.attempts)
    if asked != numbers:
        yield f"the record has attempts {asked}, the session {numbers}"
    approved = [line.person for line in evidence.record.of("approved", session.id)]
    wanted = [session.approved_by] if session.approved_by else []
    if approved != wanted:
        yield f"the record has approvals by {approved}, the session by {wanted}"


def record_tells_what_failed(evidence: Evidence) -> list[Finding]:
    """Each attempt that failed at last, as Slack shows it, has its entry."""
    found = []
    for session in evidence.last.values():
        told = {line.attempt for line in evidence.record.of("failed", session.id)}
        for attempt in session.attempts if session.id in evidence.sessions else ():
            if attempt["failure"] and attempt["number"] not in told:
                what = f"no entry: attempt {attempt['number']} failed, {attempt['failure']}"
                found.append(Finding("record_tells_what_failed", what, session.id))
    return found


def _token(session_id: str) -> str:
    return session_id.split(".", 2)[-1]
