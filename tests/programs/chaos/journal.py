"""Everything that people did and that was done to the program, with its time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


@dataclass
class Entry:
    """`at` and `until` are seconds since the epoch; `until` is 0 for what takes no time."""

    kind: str
    what: str
    at: float
    until: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def overlaps(self, begin: float, end: float) -> bool:
        return self.at <= end and max(self.at, self.until) >= begin

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value!r}" for name, value in self.facts.items())
        lasting = f" for {self.until - self.at:.1f} s" if self.until else ""
        return f"{self.kind} {self.what}{lasting} {facts}".rstrip()


class Journal:
    """Kinds: `fault`, `act` (what a person did), `exit`, `ready`, `phase`, `lag`."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.started = time.time()
        self._file: TextIO | None = path.open("w") if path else None

    def add(
        self, kind: str, what: str, *, at: float = 0.0, seconds: float = 0.0, **facts: Any
    ) -> Entry:
        """Note what begins now, or began `at`, and takes so many seconds."""
        begun = at or time.time()
        entry = Entry(kind, what, begun, begun + seconds if seconds else 0.0, facts)
        self.entries.append(entry)
        if self._file is not None:
            line = {"s": round(begun - self.started, 3), "kind": kind, "what": what, **facts}
            if seconds:
                line["for"] = round(seconds, 3)
            self._file.write(json.dumps(line, default=str) + "\n")
            self._file.flush()
        return entry

    def of(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    def during(self, begin: float, end: float, *kinds: str) -> list[Entry]:
        return [entry for entry in self.of(*kinds) if entry.overlaps(begin, end)]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
