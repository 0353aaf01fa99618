"""The words that the request for an image holds."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.request_words import MOST_AVOIDED, turned_down, words_of
from tests.fakes import PROMPT, a_candidate, a_session, an_attempt


def shown(number: int, *wordings: str, base: ImageRef | None = None, change: str = "") -> Attempt:
    """An attempt whose draft was shown, with the provider's wordings of its images."""
    made = tuple(a_candidate(n, revised_prompt=w) for n, w in enumerate(wordings, 1))
    attempt = an_attempt(number, posted=True, base=base, change=change)
    return replace(attempt, candidates=made)


def test_the_wordings_of_the_same_prompt_were_turned_down_oldest_first() -> None:
    session = replace(a_session(), attempts=(shown(1, "one", "two"), shown(2, "three", "one")))
    assert turned_down(session, an_attempt(3)) == ("two", "three", "one")
    assert turned_down(session, replace(an_attempt(3), prompt="a hen")) == ()
    assert turned_down(session, session.attempts[0]) == ()
    unseen = replace(session, attempts=(replace(session.attempts[0], message_ts=""),))
    assert turned_down(unseen, an_attempt(2)) == ()


def test_only_so_many_are_named() -> None:
    many = tuple(str(number) for number in range(9))
    session = replace(a_session(), attempts=(shown(1, *many),))
    assert turned_down(session, an_attempt(2)) == many[-MOST_AVOIDED:]


def test_an_edit_holds_the_changes_on_the_way_to_its_image() -> None:
    night = shown(2, "dark", base=ImageRef(1), change="night")
    session = replace(a_session(), attempts=(shown(1, "one"), night))
    hat = an_attempt(3, base=ImageRef(2), change="a hat")
    assert words_of(session, hat) == f"{PROMPT}\nnight\na hat"
    again = an_attempt(3, base=ImageRef(1), change="night")
    assert words_of(session, again) == f"{PROMPT}\nnight\ndark"
