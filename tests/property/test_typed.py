"""What people type: read, kept, and shown."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attempt import ImageRef
from bot.domain.invisible import drop_invisible
from bot.domain.prompt import MAX_PROMPT, OptionsRefused, ParsedText, clean_prompt, parse_flags
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.sandbox.webapi.block_kit import block_problems, view_problems
from bot.sandbox.workspace.markup import pings_in_blocks, pings_in_text
from bot.slack.mention_text import mention_text
from bot.views.blocks import Target, cut, escape, target_of
from bot.views.forms import edit_form, prompt_form
from bot.views.lists import cancelled_words, list_words
from bot.views.refusal_words import refusal_words
from tests.fakes import ID
from tests.property.strategies import TYPED, shown_sessions
from tests.support.hypotheses import TIMEOUT, examples
from tests.unit.views.test_messages import LINK, MOST_TEXT, all_messages

pytestmark = pytest.mark.timeout(TIMEOUT)

ANY_TEXT = TYPED | st.text(st.characters())
WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=6)
FLAGS = st.sampled_from(
    ["--ar 16:9", "--n 3", "—quality high", "--size=wide", "--transparent", "--bg opaque", "–n:2"]
)
OWN = ("<@U1>", "<https://example.slack.com/archives/C1/", f"<{LINK}")
"""What the program itself writes as markup: its owner's name, and links."""


@given(ANY_TEXT)
def test_any_text_is_read_or_refused_with_all_that_was_typed(text: str) -> None:
    parsed, refused = _parsed(text)
    if parsed is None:
        assert refused is not None
        assert refused.text == text
        assert refusal_words(refused)
    else:
        assert 1 <= parsed.options.candidates <= 4
        left = iter(text)
        assert all(letter in left for letter in parsed.prompt if letter != " ")


def _parsed(text: str) -> tuple[ParsedText | None, OptionsRefused | None]:
    try:
        return parse_flags(text), None
    except OptionsRefused as refused:
        return None, refused


@given(st.text(st.characters(exclude_characters="-‒–—―−")))
def test_a_text_without_options_is_the_prompt(text: str) -> None:
    assert parse_flags(text).prompt == drop_invisible(text)


@given(st.lists(st.tuples(WORDS, FLAGS), min_size=1, max_size=4), WORDS)
def test_options_among_the_words_leave_the_words(
    parts: list[tuple[list[str], str]], last: list[str]
) -> None:
    typed = " ".join(f"{' '.join(words)} {flag}" for words, flag in parts)
    said = [word for words, _ in parts for word in words] + last
    assert parse_flags(f"{typed} {' '.join(last)}").prompt == " ".join(said)


@given(ANY_TEXT)
def test_what_is_kept_of_a_prompt_is_whole_and_stays_as_it_is(text: str) -> None:
    with suppress(Refusal):
        prompt = clean_prompt(text)
        assert clean_prompt(prompt) == prompt
        assert 0 < len(prompt) <= MAX_PROMPT
        assert "\x00" not in prompt
        prompt.encode()


@given(ANY_TEXT)
def test_nothing_that_is_escaped_is_markup_and_nothing_is_lost(text: str) -> None:
    escaped = escape(text)
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", escaped)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(TYPED | st.text(), st.integers(1, 50))
def test_a_cut_text_is_short_enough_and_its_beginning(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert len(shown.encode("utf-16-le")) <= 2 * limit
    assert shown == text or text.startswith(shown.removesuffix("…"))


@given(ANY_TEXT, WORDS, st.sampled_from(["<@UBOT>", "<@UBOT|imagine>", " <@UBOT> "]))
def test_any_message_is_read_without_the_name_of_the_bot(
    text: str, words: list[str], name: str
) -> None:
    said = " ".join(words)
    assert mention_text(f"{name} {said} {name}{text}", "UBOT").startswith(said)
    assert mention_text(f"{said} {name}", "UBOT") == said


@settings(max_examples=examples(0.4))
@given(shown_sessions())
def test_no_message_of_a_session_has_markup_that_somebody_typed(session: Session) -> None:
    for message in all_messages(session):
        assert block_problems(message.blocks) == []
        found = [*pings_in_blocks(message.blocks), *pings_in_text(message.text)]
        assert [markup for markup in found if not markup.startswith(OWN)] == []
        assert len(message.text) <= MOST_TEXT


@given(shown_sessions())
def test_no_list_of_sessions_has_markup_that_somebody_typed(session: Session) -> None:
    listed = list_words([session] * 3, 3, "https://example.slack.com")
    for words in (listed, cancelled_words(session, 0)):
        found = re.findall(r"<[^>]*>?", words)
        assert [markup for markup in found if not markup.startswith(OWN)] == []


@given(TYPED)
def test_no_form_breaks_whatever_it_is_filled_with(text: str) -> None:
    target = Target(ID, ImageRef(1))
    options = parse_flags("").options
    for form in (prompt_form(target, text, options), edit_form(target, text, options)):
        assert view_problems(form) == []


@given(st.from_regex(r"[\w-]+\.[\w-]+\.[0-9a-f]+", fullmatch=True), st.integers(0, 9_999))
def test_what_a_button_carries_comes_back(session_id: str, attempt: int) -> None:
    target = Target(session_id, ImageRef(attempt, 3))
    assert target_of(str(target)) == target


@given(ANY_TEXT | st.from_regex(r"[\w.#-]{0,20}", fullmatch=True))
def test_what_a_button_does_not_carry_is_refused(value: str) -> None:
    try:
        target = target_of(value)
    except Refusal:
        return
    assert str(target) == value or value.endswith(".1")
