"""What a check answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`TRANSIENT` trouble may mend itself, so start-up waits for it."""

    OK = "ok"
    WARNING = "warning"
    TRANSIENT = "unreachable"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. `advice` is empty where all is well."""

    what: str
    verdict: Verdict
    text: str
    advice: str = ""

    @property
    def healthy(self) -> bool:
        return self.verdict in {Verdict.OK, Verdict.WARNING}

    def __str__(self) -> str:
        sign = {Verdict.OK: "ok  ", Verdict.WARNING: "warn"}.get(self.verdict, "FAIL")
        advice = f" → {self.advice}" if self.advice else ""
        return f"{sign}  {self.what}: {self.text}{advice}"
