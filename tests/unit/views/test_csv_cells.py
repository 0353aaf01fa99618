from __future__ import annotations

import csv
import io

import pytest

from bot.views.csv_cells import csv_cell, csv_line


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n@x",
        "\u00a0=1",
        "\uff1d1",
        "\uff20x",
        "\tx",
        "\x00=1",
        "\x08+1",
        "\ufeff=1",
        "\u200b@x",
        "\u2060 -1",
        "\ufe63x",
    ],
)
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "a fox", "a = b", "1-2", "'=1", "…", -3, 0.5, True, None])
def test_other_texts_and_numbers_stay(value: object) -> None:
    assert csv_cell(value) is value


@pytest.mark.parametrize("text", ["a\r=1", "a\rb", "a\r\n=1", "a\nb", "a,b", 'a"b', "\r", "a\x0bb"])
def test_a_line_that_ends_within_a_cell_begins_no_row(text: str) -> None:
    written = csv_line([text, "b"]) + csv_line([1, None])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [[csv_cell(text), "b"], ["1", ""]]
