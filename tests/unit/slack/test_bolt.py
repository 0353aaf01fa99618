"""Half of a character, as JSON may name it, and what nobody sees."""

from __future__ import annotations

import json

import pytest

from bot.slack.bolt import clean_characters


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r'"a fox \ud83e"', "a fox �"),
        (r'"\udd8a a fox"', "� a fox"),
        (r'"a fox \ud83e\udd8a"', "a fox 🦊"),
        (r'"a \u202efox\u202c \udb40\udc41!"', "a fox !"),
        (r'{"a": [{"b": "\ud800"}, 1, null, true]}', {"a": [{"b": "�"}, 1, None, True]}),
    ],
)
def test_half_a_character_is_replaced_and_the_rest_stays(sent: str, read: object) -> None:
    body = {"text": json.loads(sent), "plain": "a fox"}
    clean_characters(body)
    assert body == {"text": read, "plain": "a fox"}
