"""How fast people were answered, and how processes ended."""

from __future__ import annotations

from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.journal import Entry, Journal

_RECONNECTING = 35.0
"""Seconds after a link was broken until a process has sockets again: a call that asks Slack for
another one may hang for 30."""
_WEBS = ("web1", "web2")


def acked_in_time(evidence: Evidence) -> list[Finding]:
    """Everything is acked within 3 s, unless the process that had it died, nobody was up to take
    it, or the way to it was broken."""
    return [
        Finding(
            "acked_in_time",
            f"{act.what} {act.facts['error']} {act.facts.get('status', 0)} "
            f"after {act.facts['ack']:.2f} s",
            str(act.facts.get("session", "")),
            _why_late(evidence, act),
        )
        for act in evidence.acts()
        if not act.facts["ok"] and act.facts["error"] != "client_refused"
    ]


def _why_late(evidence: Evidence, act: Entry) -> str:
    begin, end, journal = act.at - 0.5, act.until + 0.5, evidence.journal
    taken = act.facts["error"] == "operation_timeout" or act.facts.get("status") == 502
    if taken and any(e.what in _WEBS for e in journal.during(begin, end, "exit")):
        return "the process that had it ended"
    away = [web for web in _WEBS if _away(journal, web, begin, end)]
    if len(away) == len(_WEBS):
        return "no web process was up"
    cut_off = [
        web
        for web in _WEBS
        if web not in away and evidence.mode == "socket" and _cut_off(journal, web, begin, end)
    ]
    if cut_off and (taken or len(away) + len(cut_off) == len(_WEBS)):
        return "the sockets' network was broken"
    return "the machine stood still" if journal.during(begin, end, "lag") else ""


def _cut_off(journal: Journal, web: str, begin: float, end: float) -> bool:
    ways = {"slack-links", f"{web}-slack"}
    broken = journal.during(begin - _RECONNECTING, end, "fault")
    return any(fault.facts.get("target") in ways for fault in broken)


def _away(journal: Journal, web: str, begin: float, end: float) -> bool:
    """Whether there was no such process, or none that was ready, at any moment of that time; one
    that is told to end takes nothing any more."""
    gone = 0.0
    for entry in sorted(journal.of("fault", "exit", "ready"), key=lambda entry: entry.at):
        told_to = entry.what in {"kill", "term"} and entry.facts.get("target") == web
        if told_to or (entry.kind == "exit" and entry.what == web):
            gone = gone or entry.at
        elif entry.kind == "ready" and entry.what == web:
            if gone and gone <= end and entry.at >= begin:
                return True
            gone = 0.0
    return bool(gone) and gone <= end


def processes_end_as_asked(evidence: Evidence) -> list[Finding]:
    """A process ends when it is told to, with 0, in time; and never by itself."""
    name, found = "processes_end_as_asked", []
    for entry in evidence.journal.of("exit"):
        asked, code = str(entry.facts["asked"]), entry.facts["code"]
        if asked.startswith("SIGTERM") and (code != 0 or "in vain" in asked):
            found.append(Finding(name, f"{entry.what} {asked}: exit code {code}"))
        elif not asked:
            found.append(Finding(name, f"{entry.what} ended by itself: exit code {code}"))
    return found
