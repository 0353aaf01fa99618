"""What a check has found."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`cause`: the fault that made it unavoidable, if one did; then it is no violation."""

    check: str
    what: str
    session: str = ""
    cause: str = ""

    def __str__(self) -> str:
        about = f" [{self.session}]" if self.session else ""
        why = f" ← {self.cause}" if self.cause else ""
        return f"{self.check}: {self.what}{about}{why}"
