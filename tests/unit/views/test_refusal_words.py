"""What the bot answers to a request that is refused."""

from __future__ import annotations

import pytest

from bot.domain.images import ACCEPTED
from bot.domain.refusals import Reason, Refusal
from bot.views.help_words import help_words
from bot.views.refusal_words import REFUSALS, refusal_words
from tests.unit.views.samples import NEXT_STEP


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("plain", [True, False])
def test_every_refusal_says_what_to_do_next(reason: Reason, plain: bool) -> None:
    said = refusal_words(Refusal(reason, "U1"), plain=plain)
    assert any(step in said for step in NEXT_STEP), said
    assert "{" not in said
    if plain:
        assert "<@" not in said
        assert "`" not in said


def test_a_stranger_is_told_who_decides() -> None:
    refusal = Refusal(Reason.NOT_ALLOWED, "U1")
    assert "only <@U1> can" in refusal_words(refusal)
    assert "only its owner can" in refusal_words(refusal, plain=True)


def test_a_picture_that_will_not_do_is_told_what_would() -> None:
    for reason in (Reason.IMAGE_TYPE, Reason.NO_IMAGE_THERE):
        said = refusal_words(Refusal(reason)).lower()
        assert all(kind.removeprefix("image/") in said for kind in ACCEPTED)
    assert all(kind.removeprefix("image/") in help_words().lower() for kind in ACCEPTED)
    assert "20 MB" in refusal_words(Refusal(Reason.IMAGE_TOO_LARGE))
    assert "50 megapixels" in refusal_words(Refusal(Reason.IMAGE_TOO_MANY_PIXELS))
    assert "Invite me" in refusal_words(Refusal(Reason.IMAGE_NOT_SHARED))


def test_a_mention_with_nothing_in_it_is_told_what_to_say() -> None:
    assert "Tell me what the image should show" in REFUSALS[Reason.EMPTY_MENTION]
