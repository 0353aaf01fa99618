"""Cells of CSV files that spreadsheets take for text and not for formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from typing import TextIO

_FORMULA = ("=", "+", "-", "@")
_UNSEEN = "CZ"
"""Categories of Unicode: control, format and the like; separators."""


def csv_cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula, with an apostrophe in front. Blanks,
    control characters and invisible ones before the formula's mark, and the mark's full-width form,
    count too. A number stays one."""
    if not isinstance(value, str):
        return value
    seen = (char for char in value if unicodedata.category(char)[0] not in _UNSEEN)
    begins = unicodedata.normalize("NFKC", next(seen, ""))
    is_formula = begins.startswith(_FORMULA) or value.startswith(("\t", "\r", "\n"))
    return f"'{value}" if is_formula else value


def csv_line(cells: Iterable[object]) -> str:
    """A row. What ends a line somewhere, such as a carriage return, stands within quotes: the
    writer quotes what is in its own end of a line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([csv_cell(cell) for cell in cells])
    return line.getvalue().removesuffix("\r\n") + "\n"


def write_csv(out: TextIO, headings: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    out.writelines(csv_line(cells) for cells in [headings, *rows])
