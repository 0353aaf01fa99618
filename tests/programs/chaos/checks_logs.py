"""What the processes wrote."""

from __future__ import annotations

import re

from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.message_index import WORD

_IMAGES = ("iVBORw0KGgo", "\\x89PNG", "data:image/")
_ESCAPED = (
    "Task exception was never retrieved",
    "was never awaited",
    "Unhandled exception",
    "exception in callback",
    "Unclosed client session",
)
_BROKE = re.compile(r"a listener broke: (\w+)")
_OUTSIDE = {"SlackApiError", "TimeoutError"}
_OUTSIDE_KINDS = ("Client", "Server", "Connection")
"""What a listener may meet, and apologises for: Slack's API that does not answer."""


def logs_tell_nothing_private(evidence: Evidence) -> list[Finding]:
    """No prompt, no secret and no image is in any log."""
    found = []
    for process, log in evidence.logs.items():
        for number, line in enumerate(log.splitlines(), 1):
            for what in _private(line, evidence.secrets):
                where = f"{process}.log:{number}"
                found.append(Finding("logs_tell_nothing_private", f"{what} in {where}"))
    return found


def _private(line: str, secrets: dict[str, str]) -> list[str]:
    found = [name for name, secret in secrets.items() if secret in line]
    found += ["a prompt"] if WORD.search(line) else []
    return found + (["an image"] if any(mark in line for mark in _IMAGES) else [])


def nothing_escapes_into_the_log(evidence: Evidence) -> list[Finding]:
    """No error passed everybody by: no task whose exception nobody took, no listener that broke."""
    found = []
    for process, log in evidence.logs.items():
        for number, line in enumerate(log.splitlines(), 1):
            if any(words in line for words in _ESCAPED) or _broke_by_itself(line):
                what = f"{process}.log:{number}: {line.strip()[:160]}"
                found.append(Finding("nothing_escapes_into_the_log", what))
    return found


def _broke_by_itself(line: str) -> bool:
    broke = _BROKE.search(line)
    return broke is not None and not (broke[1] in _OUTSIDE or broke[1].startswith(_OUTSIDE_KINDS))
