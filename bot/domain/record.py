"""The record: what was asked, generated, shown, approved and published, entry by entry.

`events_between` derives the events of a change from the session before and after it. The store
calls it in the commit itself, so no path can leave one out, and writes the entries with the session
or not at all. Events without a session, such as a refusal by a limit, have functions of their own.

An entry holds no name and no word of a person:

    session   the token of the session's id, without the user in front
    person    a pseudonym: a salted hash of the user id. The salt lies in a key of the person's own
    words     a salted hash of each text. Text and salt lie in a key of the session's own

Without its key such a value says nothing, and the entry stands as it was. `bot.domain.seals` chains
the entries.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from bot.domain.attempt import Attempt, Candidate
from bot.domain.books import paid_for
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.domain.stages import Publication

_to_json = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode

Fact = str | int | float | bool | None


class RecordKind(StrEnum):
    """The kinds of entries."""

    ASKED = "asked"
    REFUSED = "refused"
    GENERATED = "generated"
    SHOWN = "shown"
    FAILED = "failed"
    APPROVED = "approved"
    PUBLISHED = "published"
    NOT_PUBLISHED = "not_published"
    STARTED_OVER = "started_over"
    DISCARDED = "discarded"
    UNDONE = "undone"
    SETTINGS_CHANGED = "settings_changed"
    DELETED = "deleted"


class PromptRecording(StrEnum):
    """Whether the record keeps what people type."""

    FULL = "full"
    NONE = "none"


@dataclass(frozen=True)
class RecordEvent:
    """An event before it is written. `person` is the Slack user id of the person who did it, empty
    for the program; `about` that of another person whom it concerns; `words` are the texts that can
    be deleted, by their names."""

    kind: RecordKind
    session_id: str = ""
    person: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    def texts(self, prompts: PromptRecording) -> dict[str, str]:
        """The texts that are kept beside the entry. A user id is not typed text."""
        words = dict(self.words) if prompts is PromptRecording.FULL else {}
        return words | ({"about": self.about} if self.about else {})


class TextCommitment(NamedTuple):
    """A text, its salt, and the hash that stands for both."""

    salt: str
    text: str
    commitment: str


def commit(text: str) -> TextCommitment:
    salt = secrets.token_hex(16)
    return TextCommitment(salt, text, commitment_of(salt, text))


def commitment_of(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}:{text}".encode(errors="surrogatepass")).hexdigest()


def entry_body(event: RecordEvent, at: float, words: Mapping[str, TextCommitment]) -> str:
    """The entry as JSON; `at` is seconds since the epoch, by the clock of the process that writes
    it."""
    body: dict[str, object] = {"at": round(at, 3), "kind": event.kind.value}
    if event.session_id:
        body["session"] = SessionId.parse(event.session_id).token
    body |= {name: fact for name, fact in event.facts.items() if fact not in ("", None)}
    if words:
        body["words"] = {name: committed.commitment for name, committed in words.items()}
    return _to_json(body)


def entry_facts(body: str) -> dict[str, Any]:
    """The facts of an entry; none of an entry that somebody broke."""
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def entry_time(body: str) -> float:
    """Seconds since the epoch; 0 where somebody broke it so that it is no time."""
    at = entry_facts(body).get("at")
    return float(at) if isinstance(at, int | float) and 0 < at < 1e12 else 0.0


def events_between(before: Session | None, after: Session) -> Iterator[RecordEvent]:
    """The events of a change of a session, oldest first."""
    known = before.attempts if before else ()
    if after.restart_of and after.attempts and not known:
        facts: dict[str, Fact] = {"successor": SessionId.parse(after.id).token}
        yield RecordEvent(RecordKind.STARTED_OVER, after.restart_of, after.user, facts)
    for attempt in after.attempts:
        old = known[attempt.number - 1] if attempt.number <= len(known) else None
        yield from _of_attempt(after, old, attempt)
    yield from _of_publication(before, after)
    yield from _of_discard(before, after)


def refused(session: Session, attempt: Attempt, refusal: Refusal) -> RecordEvent:
    """A limit refuses the attempt that the session was to begin."""
    facts: dict[str, Fact] = {"reason": refusal.limit, "candidates": len(attempt.candidates)}
    return RecordEvent(
        RecordKind.REFUSED,
        session.id,
        attempt.asked_by or session.user,
        {**facts, "channel": session.channel},
        _words_of(attempt),
    )


def settings_changed(
    person: str, name: str, before: Fact, after: Fact, channel: str = "", about: str = ""
) -> RecordEvent:
    """`channel` and `about`, a person, are what the setting is for; both are empty for the
    workspace. A value of None was or is not set."""
    facts: dict[str, Fact] = {"setting": name, "channel": channel}
    facts |= {"before": before, "after": after}
    return RecordEvent(RecordKind.SETTINGS_CHANGED, "", person, facts, about=about)


def deleted(session_id: str, person: str = "") -> RecordEvent:
    """A session is deleted before its time."""
    return RecordEvent(RecordKind.DELETED, session_id, person)


def _of_attempt(session: Session, old: Attempt | None, new: Attempt) -> Iterator[RecordEvent]:
    if old == new:
        return
    if old is None:
        yield _asked(session, new)
    made = {c.number: c for c in old.candidates} if old else {}
    for candidate in new.candidates:
        if candidate.has_image and _image_of(made.get(candidate.number)) != _image_of(candidate):
            facts = {**_image_facts(new, candidate), "model": candidate.model}
            facts |= {"type": candidate.mime_type, "width": candidate.width}
            facts |= {"height": candidate.height, **_cost_facts(new, candidate)}
            yield RecordEvent(RecordKind.GENERATED, session.id, facts=facts)
    if new.message_ts and (old is None or old.message_ts != new.message_ts):
        where: dict[str, Fact] = {"channel": session.channel, "message": new.message_ts}
        files = " ".join(c.file_id for c in new.images if c.file_id)
        facts = {"attempt": new.number, **where, "files": files}
        yield RecordEvent(RecordKind.SHOWN, session.id, facts=facts)
    if new.failure and (old is None or old.failure != new.failure):
        facts = {"attempt": new.number, "reason": new.failure.value}
        person = new.cancelled_user if new.cancelled else ""
        yield RecordEvent(RecordKind.FAILED, session.id, person, facts)


def _asked(session: Session, attempt: Attempt) -> RecordEvent:
    facts: dict[str, Fact] = {
        "attempt": attempt.number,
        "candidates": len(attempt.candidates),
        "channel": session.channel,
        "base": str(attempt.base) if attempt.base else "",
    }
    facts |= {name: value for name, value in attempt.options.chosen if name != "count"}
    person = attempt.asked_by or session.user
    return RecordEvent(RecordKind.ASKED, session.id, person, facts, _words_of(attempt))


def _of_publication(before: Session | None, after: Session) -> Iterator[RecordEvent]:
    chosen = after.final_result
    facts: dict[str, Fact] = {}
    if chosen and chosen <= len(after.attempts):
        attempt = after.attempt(chosen)
        facts = _image_facts(attempt, attempt.candidate(after.final_candidate))
    old_result = before.final_result if before else 0
    if after.final_result and not old_result:
        yield RecordEvent(RecordKind.APPROVED, after.id, after.approved_by, facts)
    if after.final_ts and after.final_ts != (before.final_ts if before else ""):
        where: dict[str, Fact] = {"channel": after.channel, "message": after.final_ts}
        yield RecordEvent(RecordKind.PUBLISHED, after.id, facts={**facts, **where})
    was_refused = before is not None and before.publication is Publication.REFUSED
    if after.publication is Publication.REFUSED and not was_refused:
        yield RecordEvent(RecordKind.NOT_PUBLISHED, after.id, facts=facts)


def _of_discard(before: Session | None, after: Session) -> Iterator[RecordEvent]:
    was_discarded = before is not None and before.discarded
    if was_discarded is after.discarded:
        return
    kind, person = RecordKind.UNDONE, after.restored_by
    if after.discarded:
        kind, person = RecordKind.DISCARDED, after.discarded_by
    yield RecordEvent(kind, after.id, person, {"attempt": len(after.attempts)})


def _image_facts(attempt: Attempt, candidate: Candidate) -> dict[str, Fact]:
    numbers = {"attempt": attempt.number, "candidate": candidate.number}
    return {**numbers, "sha256": candidate.sha256}


def _cost_facts(attempt: Attempt, candidate: Candidate) -> dict[str, Fact]:
    """Nothing where no price is known: 0 would say that it was free."""
    paid = paid_for(attempt, candidate)
    if paid is None or not paid.known:
        return {}
    return {"micro_dollars": paid.micro, "measured": paid.measured}


def _image_of(candidate: Candidate | None) -> tuple[bool, str]:
    return (candidate.has_image, candidate.sha256) if candidate else (False, "")


def _words_of(attempt: Attempt) -> dict[str, str]:
    words = {"prompt": attempt.prompt, "change": attempt.change}
    return {name: text for name, text in words.items() if text}
