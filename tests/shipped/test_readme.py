"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain import stages
from bot.domain.button_words import BUTTON_WORDS
from bot.domain.change_words import CHANGE_BEGINNINGS
from bot.domain.courtesies import ENTRIES
from bot.domain.status_questions import STATUS_QUESTIONS

README = Path(__file__).parents[2] / "README.md"


def test_the_messages_that_ask_for_no_image_are_the_table() -> None:
    text = README.read_text("utf-8")
    for courtesy, languages in ENTRIES.items():
        rows = [f"| {each} | {', '.join(entries)} |" for each, entries in languages.items()]
        assert "\n".join([f"| {courtesy.value} | |", "|---|---|", *rows, ""]) in text


def test_the_questions_how_far_an_image_is_are_the_table() -> None:
    rows = [f"| {each} | {', '.join(entries)} |" for each, entries in STATUS_QUESTIONS.items()]
    table = "\n".join(["| question | |", "|---|---|", *rows, ""])
    assert table in README.read_text("utf-8")


def test_the_beginnings_of_changes_are_the_table() -> None:
    rows = [f"  | {each} | {', '.join(entries)} |" for each, entries in CHANGE_BEGINNINGS.items()]
    table = "\n".join(["  | language | |", "  |---|---|", *rows, ""])
    assert table in README.read_text("utf-8")


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
