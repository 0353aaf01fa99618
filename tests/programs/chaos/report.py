"""The figures of a run, and the stories of what went wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.workspace.messages import block_texts
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.oracle import Verdict
from tests.programs.chaos.plan import Plan

_STORIES = 12


@dataclass(frozen=True)
class Report:
    """`idle_after`: seconds from the end of the last fault until nothing was owed."""

    plan: Plan
    evidence: Evidence
    verdict: Verdict
    idle_after: float
    seconds: float

    @property
    def violations(self) -> list[Finding]:
        return self.verdict.violations

    def figures(self) -> dict[str, object]:
        evidence = self.evidence
        attempts = [a for s in evidence.last.values() for a in s.attempts]
        made = [c for a in attempts for c in a["candidates"] if c["width"]]
        acts = list(evidence.acts())
        acks = sorted(a.facts["ack"] for a in acts if a.facts["ok"])
        exits = Counter(str(e.facts["asked"] or "itself") for e in evidence.journal.of("exit"))
        stages = Counter(s.stage for s in evidence.sessions.values())
        return {
            "plan": str(self.plan),
            "sessions": len([s for s in evidence.last.values() if s.attempts]),
            "stages at the end": dict(stages),
            "attempts": len(attempts),
            "candidates with an image": len(made),
            "images paid": len(evidence.paid),
            "requests of people": len(acts),
            "acked": len(acks),
            "ack p50 / p99 / max (s)": " / ".join(
                f"{_share(acks, share):.3f}" for share in (0.5, 0.99, 1.0)
            ),
            "faults": dict(Counter(_kind(e.what) for e in evidence.journal.of("fault"))),
            "steps at which workers ended": dict(
                Counter(e.what[5:] for e in evidence.journal.of("fault") if e.what[:5] == "step ")
            ),
            "processes ended by": dict(exits),
            "calls to Slack": len(evidence.calls),
            "quiet after (s)": round(self.idle_after, 1),
            "seconds in all": round(self.seconds, 1),
            "excused": _counted(self.verdict.excused),
            "violations": len(self.violations),
        }

    def __str__(self) -> str:
        width = max(len(name) for name in self.figures())
        lines = [f"{name:<{width}}  {_shown(value)}" for name, value in self.figures().items()]
        lines += ["", *(f"✗ {finding}" for finding in self.violations)]
        return "\n".join(lines)

    def write(self, folder: Path) -> None:
        """`report.txt` with stories, `figures.json`."""
        parts = [str(self), "", "What had to go wrong:"]
        parts += [f"  {finding}" for finding in self.verdict.excused]
        told = dict.fromkeys(f.session for f in self.violations if f.session)
        parts += [self.story(session) for session in list(told)[:_STORIES]]
        (folder / "report.txt").write_text("\n".join(parts) + "\n")
        (folder / "figures.json").write_text(json.dumps(self.figures(), indent=2) + "\n")

    def story(self, session_id: str) -> str:
        """All that is known of one session, in the order of time."""
        evidence, started = self.evidence, self.evidence.journal.started
        word = evidence.words.get(session_id, "-")
        lines = []
        for entry in evidence.journal.entries:
            mine = session_id == entry.facts.get("session") or word == entry.facts.get("visit")
            if mine or entry.kind in {"fault", "exit", "ready", "phase"}:
                lines.append((entry.at, str(entry)))
        for kind, number, message in evidence.marked.get(session_id, []):
            for state in message.history:
                shown = " | ".join(t for t in block_texts(state.blocks) if t)[-110:]
                lines.append((state.at, f"    {kind} {number} {message.ts}: {shown}"))
        told = "\n".join(f"{at - started:8.2f} {line}" for at, line in sorted(lines))
        stored = evidence.sessions.get(session_id) or evidence.last.get(session_id)
        return f"\n== {session_id} ({word})\n{told}\n{stored}"


def _kind(what: str) -> str:
    return what.split()[0] if what.startswith(("step", "slack", "openai")) else what


def _share(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _counted(findings: list[Finding]) -> dict[str, int]:
    """The details of a cause, behind its first comma, are for the list."""
    return dict(Counter(f"{f.check}: {f.cause.split(',')[0]}" for f in findings))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return str(value)
