"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain import stages

README = Path(__file__).parents[2] / "README.md"


def test_the_diagrams_in_the_readme_are_the_tables() -> None:
    blocks = re.findall(r"^```mermaid\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    assert [block.strip() for block in blocks] == [
        stages.stage_diagram(),
        stages.publication_diagram(),
    ]
