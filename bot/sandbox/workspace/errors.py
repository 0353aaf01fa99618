"""The error that a Web API method answers."""

from typing import Any


class SlackError(Exception):
    """An answer with `"ok": false`; `extra` is merged into it."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.extra}


def invalid(error: str, problems: list[str]) -> SlackError:
    """A refusal that lists its reasons: `problem [json-pointer:/blocks/0/text]`."""
    messages = [f"[ERROR] {problem}" for problem in problems]
    return SlackError(error, errors=problems, response_metadata={"messages": messages})
