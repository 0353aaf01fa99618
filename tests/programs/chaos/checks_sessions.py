"""What sessions are in the end, and what people's actions came to."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.programs.chaos.archive import Stored
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.journal import Entry

_SHOWN = {
    "initial_input": ("🚫 Cancelled", "⚠️ Failed"),
    "user_feedback": ("waiting for review", "Waiting for review", "The last attempt failed"),
    "final": ("✅ Approved by", "⚠️ Approved by"),
}
_MOVES = {"Regenerate", "Try again"}
_DECISIONS = {"Approve", "Approve this one"}
_FORMS_OF_MOVES = {"edit_form", "refine_form"}


def ends_in_a_lawful_stage(evidence: Evidence) -> list[Finding]:
    """Every session has ended where a person has the next word: none is still generating."""
    name = "ends_in_a_lawful_stage"
    wrong = [s for s in evidence.sessions.values() if s.stage not in _SHOWN]
    gone = set(evidence.last) - set(evidence.sessions)
    lost = [evidence.last[each] for each in gone if evidence.last[each].attempts]
    return [
        *(Finding(name, f"is {s.stage}, attempt {len(s.attempts)}", s.id) for s in wrong),
        *(Finding(name, "was stored and is gone", s.id) for s in lost if s.root_ts),
    ]


def root_shows_the_stage(evidence: Evidence) -> list[Finding]:
    """Every session that was asked for anything has a root message, which says how it stands."""
    found = []
    for session in evidence.sessions.values():
        if not session.attempts or session.stage not in _SHOWN:
            continue
        roots = evidence.of(session.id, "root")
        texts = [message.shown_text for _, message in roots]
        wanted = _SHOWN[session.stage]
        if not any(words in text for text in texts for words in wanted):
            shown = texts[0][-160:] if texts else "nothing"
            found.append(Finding("root_shows_the_stage", f"{session.stage}: {shown!r}", session.id))
    return found


def accepted_requests_are_kept(evidence: Evidence) -> list[Finding]:
    """What was acked without a refusal exists: a session with its root message for a new prompt,
    an attempt for a change."""
    name, found = "accepted_requests_are_kept", []
    kept = _everything_asked(evidence)
    for act in evidence.acts("slash", "mention", "submit", "say"):
        words = act.facts.get("words")
        taken = act.facts["ok"] and not act.facts.get("refused")
        if not taken or not words or words in kept or evidence.told(act):
            continue
        cause = "the refusal was lost" if evidence.failed_to_tell(act) else ""
        if act.what in {"slash", "submit"}:
            cause = ""  # these carry a refusal in the ack itself
        found.append(Finding(name, f"{act}", str(act.facts.get("session", "")), cause))
    return found


def _everything_asked(evidence: Evidence) -> str:
    stored = [
        f"{attempt['prompt']} {attempt['change']}"
        for session in evidence.last.values()
        for attempt in session.attempts
    ]
    roots = [m.original.text for each in evidence.marked for _, m in evidence.of(each, "root")]
    return "\n".join([*stored, *roots])


def accepted_clicks_count(evidence: Evidence) -> list[Finding]:
    """An owner's click that was acked had its effect, or the owner was told why not."""
    found = []
    for act in evidence.acts(*_MOVES, *_DECISIONS):
        facts = act.facts
        if facts["by"] != "owner" or not facts["ok"] or facts.get("stale"):
            continue
        if _has_effect(act, evidence.last.get(facts["session"])) or evidence.told(act):
            continue
        cause = "the refusal was lost" if evidence.failed_to_tell(act) else ""
        found.append(Finding("accepted_clicks_count", f"{act}", facts["session"], cause))
    return found


def _has_effect(act: Entry, session: Stored | None) -> bool:
    if session is None:
        return False
    if act.what in _DECISIONS:
        return bool(session.final_result)
    return len(session.attempts) > int(act.facts["number"])


def moves_count_once(evidence: Evidence) -> list[Finding]:
    """However often a click came, from whomever: each session has at most one attempt for each
    thing that its owner decided. After a cancellation the same button decides anew."""
    decided: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    cancelled: Counter[str] = Counter()
    for act in sorted(evidence.acts(), key=lambda act: act.at):
        session_id = str(act.facts.get("session", ""))
        if act.facts["by"] != "owner" or not session_id:
            continue
        if act.what == "Cancel":
            cancelled[session_id] += 1
        elif decision := _decision(act):
            decided[session_id].add((*decision, cancelled[session_id]))
    found = []
    for session in evidence.last.values():
        most = 1 + len(decided[session.id]) + _passed_over(session, decided[session.id])
        if len(session.attempts) > most:
            what = f"{len(session.attempts)} attempts, {most - 1} decisions after the first"
            found.append(Finding("moves_count_once", what, session.id))
    return found


def _decision(act: Entry) -> tuple[object, ...]:
    """What tells it from every other one; nothing for what starts no attempt."""
    if act.what in _MOVES:
        return ("move", act.facts["number"])
    if act.what == "submit" and act.facts["form"] in _FORMS_OF_MOVES:
        return ("form", act.facts["view"])
    return ("said", act.at) if act.what == "say" else ()


def _passed_over(session: Stored, decided: set[tuple[object, ...]]) -> int:
    """Failures on whose own button nobody pressed: the draft before them can be used again."""
    pressed = {key[1] for key in decided if key[0] == "move"}
    failed = [a for a in session.attempts if a["failure"] not in (None, "cancelled")]
    return sum(attempt["number"] not in pressed for attempt in failed)


def strangers_change_nothing(evidence: Evidence) -> list[Finding]:
    """Who is not the owner approves nothing: every approval was clicked by its owner, and what a
    stranger pressed alone is still there to be pressed."""
    name, found = "strangers_change_nothing", []
    approved = {
        act.facts["session"] for act in evidence.acts(*_DECISIONS) if act.facts["by"] == "owner"
    }
    for entry in evidence.journal.of("seen"):
        if entry.what == "a stranger's click" and not entry.facts["still"]:
            found.append(Finding(name, f"{entry}", entry.facts["session"]))
    for session in evidence.last.values():
        if session.approved_by and session.approved_by != session.owner:
            found.append(Finding(name, f"approved by {session.approved_by}", session.id))
        elif session.final_result and session.id not in approved:
            found.append(Finding(name, "approved without its owner's click", session.id))
    return found


def failures_are_shown(evidence: Evidence) -> list[Finding]:
    """Where the newest attempt failed, its thread says so, with a button to go on."""
    found = []
    for session in evidence.sessions.values():
        if not session.attempts or session.stage == "final":
            continue
        newest = session.attempts[-1]
        if newest["failure"] in (None, "cancelled"):
            continue
        shown = [m for n, m in evidence.of(session.id, "failure") if n == newest["number"]]
        if not any("Edit prompt" in button for m in shown for button in m.buttons()):
            what = f"attempt {newest['number']}: {newest['failure']}, {len(shown)} messages"
            found.append(Finding("failures_are_shown", what, session.id))
    return found
