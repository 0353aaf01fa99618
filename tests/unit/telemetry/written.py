"""What was logged."""

from __future__ import annotations

import io
import json
from typing import Any

from bot.telemetry.logs import LogFormat, set_up


class Written:
    """Logging as the program sets it up, into a string."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def set_up(
        self, level: str = "INFO", log_format: LogFormat = LogFormat.JSON, *, prompts: bool = False
    ) -> None:
        set_up(level, log_format, prompts=prompts, stream=self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        """The only one."""
        (line,) = self.lines
        return line
