"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain import stages
from bot.domain.button_words import BUTTON_WORDS
from bot.domain.courtesies import ENTRIES

README = Path(__file__).parents[2] / "README.md"


def test_the_messages_that_ask_for_no_image_are_the_table() -> None:
    text = README.read_text("utf-8")
    for courtesy, languages in ENTRIES.items():
        rows = [f"| {each} | {', '.join(entries)} |" for each, entries in languages.items()]
        assert "\n".join([f"| {courtesy.value} | |", "|---|---|", *rows, ""]) in text


def test_the_words_that_name_a_button_are_the_table() -> None:
    rows = [f"| {word.value} | {', '.join(entries)} |" for word, entries in BUTTON_WORDS.items()]
    table = "\n".join(["| button | words |", "|---|---|", *rows, ""])
    assert table in README.read_text("utf-8")


def test_the_diagrams_in_the_readme_are_the_tables() -> None:
    blocks = re.findall(r"^```mermaid\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    assert [block.strip() for block in blocks] == [
        stages.stage_diagram(),
        stages.publication_diagram(),
        stages.discard_diagram(),
    ]
