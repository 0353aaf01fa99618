from __future__ import annotations

import pytest

from bot.views.moderation_words import moderation_category


@pytest.mark.parametrize("name", ["self-harm/intent", "self_harm_intent", "SelfHarm/Intent"])
def test_a_category_is_told_in_plain_words_however_it_is_spelled(name: str) -> None:
    assert moderation_category(name) == "an intention to harm oneself"


def test_an_unknown_category_is_told_as_it_is() -> None:
    assert moderation_category("newly_invented/kind") == "newly invented kind"
