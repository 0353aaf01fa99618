"""Logging to stderr: one JSON object a line, or text on a terminal.

No line holds the text of an exception or anything that a library says, because both may hold what
people typed, secrets or bodies. An exception is told by its classes and the places where it was
raised, a library's warning by its place in the library's code. A few of our own lines hold what
people typed, if `LOG_PROMPTS` says so.
"""

from __future__ import annotations

import copy
import logging
import sys
import traceback
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS, merge_record_extra
from pythonjsonlogger.json import JsonFormatter

from bot.telemetry.context import fields, log_prompts, trace_id

OURS = "bot"
"""The logger above all of the program's own."""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {10: "\\n"}
_STANDARD = {*RESERVED_ATTRS, "taskName"}
_MOST_PLACES = 40
_LONGEST_CHAIN = 10


class LogFormat(StrEnum):
    """`AUTO`: text on a terminal, JSON anywhere else."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


def set_up(
    level: str,
    log_format: LogFormat = LogFormat.AUTO,
    *,
    prompts: bool = False,
    stream: TextIO | None = None,
) -> bool:
    """Our own loggers at the level asked for, the libraries' from WARNING up, all into `stream`
    (stderr), whatever else a library has set up. Answers whether as JSON."""
    stream = stream or sys.stderr
    text = log_format is LogFormat.TEXT or (log_format is LogFormat.AUTO and stream.isatty())
    handler = RedactingHandler(stream, with_places=level == "DEBUG")
    handler.setFormatter(TextLine() if text else JsonLine())
    handler.addFilter(_may_pass)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
    log_prompts(prompts)
    return not text


class RedactingHandler(logging.StreamHandler[TextIO]):
    """Writes what may be told of each record. `with_places`: also where exceptions were raised."""

    def __init__(self, stream: TextIO, *, with_places: bool) -> None:
        super().__init__(stream)
        self._with_places = with_places

    def format(self, record: logging.LogRecord) -> str:
        return super().format(redacted(record, with_places=self._with_places))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """The standard one writes the arguments to stderr."""
        if isinstance(sys.exception(), OSError):
            return  # nobody reads on
        message = f"a line could not be written: {short_path(record.pathname)}:{record.lineno}"
        broken = logging.LogRecord(OURS, logging.ERROR, "", 0, message, None, None)
        self.stream.write(self.format(broken) + self.terminator)


def redacted(record: logging.LogRecord, *, with_places: bool) -> logging.LogRecord:
    """The record as it may be written: with the log fields, and without text of libraries and
    exceptions."""
    if _is_ours(record):
        safe = copy.copy(record)
    else:
        place = f"{short_path(record.pathname)}:{record.lineno} {record.funcName}"
        safe = logging.LogRecord(record.name, record.levelno, "", 0, place, None, None)
        safe.created, safe.msecs = record.created, record.msecs
    safe.__dict__.update(fields())
    if trace := trace_id():
        safe.__dict__["trace_id"] = trace
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        safe.__dict__["error"] = exception_classes(error)
        if with_places and (where := exception_locations(error)):
            safe.__dict__["where"] = " > ".join(where)
    safe.exc_info = safe.exc_text = safe.stack_info = None
    return safe


class JsonLine(JsonFormatter):
    """`timestamp` (UTC), `level`, `logger`, `message`, then what the line is about."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger"},
            reserved_attrs=sorted(_STANDARD),
            timestamp=True,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """The time first, for people who read it unformatted."""
        return {"timestamp": log_data.pop("timestamp"), **log_data}


class TextLine(logging.Formatter):
    """`time level logger: [session, image 2 of attempt 3] message name=value`, on one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(about)s%(message)s%(rest)s")

    def format(self, record: logging.LogRecord) -> str:
        extra: dict[str, Any] = merge_record_extra(record, {}, reserved=_STANDARD)
        attempt, candidate = (extra.pop(name, "") for name in ("attempt", "candidate"))
        image = f"image {candidate} of " if candidate else ""
        which = f"{image}attempt {attempt}" if attempt else ""
        about = ", ".join(filter(None, [extra.pop("session", ""), which]))
        for name in ("owner", "job", "trace_id"):
            extra.pop(name, None)
        line = copy.copy(record)
        line.__dict__["about"] = f"[{about}] " if about else ""
        line.__dict__["rest"] = "".join(f" {name}={value}" for name, value in extra.items())
        return super().format(line).translate(_CONTROL)


def _may_pass(record: logging.LogRecord) -> bool:
    """A library's own switch, such as `OPENAI_LOG`, opens nothing here."""
    return _is_ours(record) or record.levelno >= logging.WARNING


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def exception_classes(error: BaseException) -> str:
    """The class, and the classes of what caused it: `SlackUnavailable from TimeoutError`."""
    return " from ".join(type(link).__name__ for link in _chain(error))


def exception_locations(error: BaseException) -> list[str]:
    """Where each link of the chain was raised, outermost call first: `generate.py:120 _ask`."""
    found = [
        f"{short_path(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for link in _chain(error)
        for frame, line in traceback.walk_tb(link.__traceback__)
    ]
    return found[-_MOST_PLACES:]


def short_path(path: str) -> str:
    """The last parts of a file's path: enough to find it."""
    return "/".join(PurePath(path).parts[-3:])


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
