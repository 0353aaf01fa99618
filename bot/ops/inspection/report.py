"""Reading one file, and printing what marks it carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.domain.errors import ImagineError
from bot.ops.inspection.containers import MIME_TYPES, CutShort, NoImage, format_of, parts_of
from bot.ops.inspection.manifest import manifest_lines
from bot.ops.inspection.marks import Marks, lines, shown

MOST_BYTES = 100 * 2**20
"""Of a file that is read; images from providers and phones are a fraction of it."""


class NotInspected(ImagineError):
    """The file cannot be inspected; the text says why."""


def inspect_file(path: Path) -> int:
    """Print what marks the file carries, and answer the exit code. Raises `NotInspected`."""
    data = _read(path)
    try:
        report = list(_report(data))
    except NoImage as error:
        raise NotInspected(f"{path}: {error}") from None
    print(f"{shown(str(path))}: {format_of(data)}")  # noqa: T201
    print("\n".join(f"  {line}" for line in report or ["no marks"]))  # noqa: T201
    return 0


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise NotInspected(f"{path}: is no file")
        if path.stat().st_size > MOST_BYTES:
            raise NotInspected(f"{path}: has more than {MOST_BYTES // 2**20} MB")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        words = getattr(error, "strerror", None) or "cannot be opened"
        raise NotInspected(f"{path}: {words}") from None


def _report(data: bytes) -> Iterator[str]:
    kind, marks, cut_short = format_of(data), Marks(), False
    try:
        for part in parts_of(data):
            marks.add(part)
    except CutShort:
        cut_short = True
    yield from lines(marks)
    if marks.c2pa:
        yield from manifest_lines(data, MIME_TYPES[kind], marks.c2pa)
    if cut_short:
        yield "the file is damaged or ends early; there may be more marks"
