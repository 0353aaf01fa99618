"""Whatever a text holds, reading it and showing it takes time in proportion to its length.

A parser of people's text is listed in `PARSERS`, one that reads no more than so many characters
also in `BOUNDS`, and a module that uses a regular expression in `REGEXES`: a new one is added
there.

Most texts are tried with a quarter of `MAX_TYPED`. The whole length is tried where the quarter
takes long enough for its square to be noticed, and always with `HYPOTHESIS_PROFILE=long`.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import bot
from bot.adapters.openai.wording import (
    LONGEST_LIST,
    LONGEST_WORDING,
    avoid_prompt,
    single_prompt,
)
from bot.adapters.placeholder import lettering
from bot.adapters.placeholder.lettering import readable
from bot.domain import courtesies
from bot.domain.attempt import ImageRef
from bot.domain.button_words import BUTTON_WORDS, FILLERS, named_button
from bot.domain.change_words import CHANGE_BEGINNINGS, reads_like_change
from bot.domain.costs import most_tokens
from bot.domain.courtesies import ADDRESSED, courtesy_of
from bot.domain.failures import FailureKind
from bot.domain.image_names import LOOKED_AT, read_change
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.option_table import OPTIONS, parse_count
from bot.domain.options import NO_OPTIONS
from bot.domain.prompt import (
    MAX_PROMPT,
    MAX_TYPED,
    OptionsRefused,
    ParsedText,
    check_length,
    clean_change,
    clean_prompt,
    parse_flags,
)
from bot.domain.refusals import ImpossibleValue, OptionRefused, Refusal
from bot.domain.session import Session
from bot.domain.sizes import parse_ratio, parse_size
from bot.domain.status_questions import STATUS_QUESTIONS, asks_for_status
from bot.slack.bolt import clean_characters
from bot.slack.mention_text import mention_text
from bot.slack.message_pictures import check_links
from bot.slack.notation import MOST_NAME, clean_name, references
from bot.views.blocks import MOST_REPEATED, Target, cut, escape, one_line, repeated, target_of
from bot.views.captions import described
from bot.views.failure_words import failure_words, not_posted_words
from bot.views.forms import edit_form, image_form, prompt_form, refine_form
from bot.views.home import parse_page
from bot.views.lists import cancelled_words, list_words
from bot.views.messages import draft_message
from bot.views.option_selects import option_value
from bot.views.refusal_words import refusal_words
from bot.views.source_pictures import SourcePictures
from tests.fakes import a_session, an_attempt
from tests.support.hypotheses import PROFILE

LONG = os.environ.get(PROFILE) == "long"
N = MAX_TYPED // 4
RUNS = 5
FLOOR = 0.02
"""Seconds of processor time below which nothing is compared."""
MOST_GROWTH = 10.0
"""Four times the text; twice that, and a little more, is what a busy machine makes of it.
Quadratic would be sixteen."""
NOTICED = FLOOR / 16
"""Seconds for a quarter of the text below which even its square stays below `FLOOR`."""
LONGEST = 0.1
"""Seconds for `MAX_TYPED` characters, whatever they are; an ack is due within 0.3."""

BOT = "UBOT"
FAMILIES = {
    "addresses": "https://a.slack.com/fil",
    "beginnings of addresses": "https://",
    "spaces": " ",
    "tabs": "\t",
    "lines": "\n",
    "returns": "\r",
    "no-break spaces": "\u00a0",
    "thin spaces": "\u2009",
    "blanks of all kinds": " \t\u00a0\n",
    "dashes": "-",
    "dash pairs": "-- ",
    "em dashes": "—",
    "em dashes apart": "— ",
    "minus signs": "\u2212-",
    "quotes": '"',
    "curly quotes": "“",
    "closed quotes": "“x” ",
    "guillemets": "«",
    "values in quotes": '--n "1" ',
    "values in half a quote": '--n "1 ',
    "mentions": "<@U7> ",
    "the bot's mentions": f"<@{BOT}>",
    "the bot's mentions apart": f"  <@{BOT}>  ",
    "named mentions": f"<@{BOT}|x> ",
    "half mentions": "<@",
    "half of the bot's mentions": f"<@{BOT}",
    "half of named mentions": f"<@{BOT}|",
    "blanks and half mentions": f"   <@{BOT}",
    "openings": "<",
    "closings": ">",
    "dates": "<!date^1^{x}|a> ",
    "links": "<https://x.org|x> ",
    "bars": "<a|",
    "carets": "<!^^",
    "options": "--n 1 ",
    "options without words": "--opaque ",
    "options and words": "--n 1 a ",
    "options in lines": "a\n--opaque\n",
    "options and blanks": "--opaque \t \n",
    "unknown options": "--x ",
    "glued options": "--ar=16:9",
    "no values": "--n ",
    "equals": "=",
    "equals and blanks": "--n= ",
    "colons": ":",
    "entities": "&lt;",
    "ampersands": "&amp;",
    "entities of entities": "&amp;lt;",
    "emoji codes": ":fox_face:",
    "emoji": "👩‍🚀",
    "backticks": "`",
    "fences": "``` ",
    "joiners": "\u200d",
    "tags": "\U0001f3f4\U000e0067",
    "selectors": "\ufe0f\u200d",
    "addressed": f", <@{BOT}>, a",
    "codes beside mentions": f":fox:<@{BOT}>",
    "right to left": "\u202e\u200fא",
    "combining marks": "e\u0301\u0323",
    "marks alone": "\u0301",
    "surrogates": "\ud83d",
    "controls": "\x00\x07",
    "digits": "1",
    "other digits": "١",
    "crosses": "1x",
    "names of images": "number 2 ",
    "lists of images": "image 1, 2 and ",
    "ordinals": "the second ",
    "lists of ordinals": "first and ",
    "names of attempts": "attempt 1 ",
    "ellipses": "… ",
    "dots": "T1.U1.",
    "brackets": "[",
    "braces": '{"a":',
    "words": "a cat ",
    "one word": "a",
    "mixed": f' \t-- —"“<@{BOT}><@--n 1=:&lt;:x:`\u00a0\u200d',
}
FRAMES = {
    "alone": "{}",
    "in words": "a {} b",
    "as a value": "a --n {}",
    "behind a value": "--n {} 3",
}


def _with(text: str) -> Session:
    attempt = replace(an_attempt(1), prompt=text, change=text, base=ImageRef(0))
    edit = replace(an_attempt(2), prompt=text, change=text, base=ImageRef(1))
    return replace(a_session(), task_input=text, attempts=(attempt, edit))


def _asked(text: str) -> ImageRequest:
    return ImageRequest(text, base=BaseImage(b"x"), change=text, changes=(text,), avoid=(text,))


def _refused(text: str, *, plain: bool, command: bool) -> str:
    wrong = (OptionRefused("--n", text), OptionRefused(f"--{text}"))
    refusal = OptionsRefused(wrong, text, ParsedText(text, NO_OPTIONS))
    return refusal_words(refusal, plain=plain, command=command)


_SEVERAL = replace(a_session(), attempts=(an_attempt(posted=True, images=3),))

PARSERS: dict[str, Callable[[str], object]] = {
    # read
    "clean_characters": lambda text: clean_characters({"text": text}),
    "mention_text": lambda text: mention_text(text, BOT),
    "references": references,
    "clean_name": clean_name,
    "courtesy_of": courtesy_of,
    "asks_for_status": asks_for_status,
    "reads_like_change": reads_like_change,
    "named_button": named_button,
    "read_change": lambda text: read_change(text, _SEVERAL, _SEVERAL.latest),
    "check_length": check_length,
    "parse_flags": parse_flags,
    "clean_prompt": clean_prompt,
    "clean_change": clean_change,
    "parse_size": parse_size,
    "parse_ratio": parse_ratio,
    "OptionSpec.parse": OPTIONS["quality"].parse,
    "parse_count": parse_count,
    "option_value": option_value,
    "target_of": target_of,
    "parse_page": parse_page,
    "SourcePictures": SourcePictures.from_metadata,
    "check_links": check_links,
    # shown
    "escape": escape,
    "cut": lambda text: cut(text, 2_900),
    "one_line": one_line,
    "repeated": lambda text: repeated(text, "lead"),
    "refusal_words": lambda text: _refused(text, plain=False, command=True),
    "refusal_words, plain": lambda text: _refused(text, plain=True, command=False),
    "failure_words": lambda text: failure_words(FailureKind.DECLINED, said=text),
    "not_posted_words": lambda text: not_posted_words(FailureKind.QUOTA, _with(text), "imagine"),
    "prompt_form": lambda text: prompt_form(Target("T1.U1.a", ImageRef(1)), text),
    "edit_form": lambda text: edit_form(Target("T1.U1.a", ImageRef(1)), text),
    "refine_form": lambda text: refine_form(Target("T1.U1.a", ImageRef(2)), _with(text)),
    "image_form": lambda text: image_form(SourcePictures("C1", "", "", ())),
    "draft": lambda text: draft_message(_with(text), 2),
    "described": lambda text: described(_with(text), _with(text).attempt(2), 500),
    "list_words": lambda text: list_words([_with(text)], 1, "https://x.slack.com"),
    "cancelled_words": lambda text: cancelled_words(_with(text), 0),
    # drawn, and sent to the provider
    "readable": readable,
    "single_prompt": lambda text: single_prompt(_asked(text)),
    "avoid_prompt": lambda text: avoid_prompt([text] * 3),
    "most_tokens": most_tokens,
}

BOUNDS = {
    "courtesy_of": (courtesies.LONGEST,),
    "asks_for_status": (courtesies.LONGEST,),
    "reads_like_change": (courtesies.LONGEST,),
    "named_button": (courtesies.LONGEST,),
    "read_change": (LOOKED_AT,),
    "clean_name": (MOST_NAME,),
    "clean_prompt": (MAX_PROMPT,),
    "clean_change": (MAX_PROMPT,),
    "cut": (2_900,),
    "repeated": (MOST_REPEATED,),
    "readable": (lettering.LONGEST,),
    "single_prompt": (LONGEST_WORDING, LONGEST_LIST, MAX_PROMPT),
    "avoid_prompt": (LONGEST_WORDING, LONGEST_LIST),
}
"""Parser → the lengths from which it reads no further, or refuses to."""

PHRASES = {
    *(entry for kinds in courtesies.ENTRIES.values() for lang in kinds.values() for entry in lang),
    *(
        entry
        for table in (STATUS_QUESTIONS, CHANGE_BEGINNINGS)
        for lang in table.values()
        for entry in lang
    ),
    *(entry for entries in BUTTON_WORDS.values() for entry in entries),
    *ADDRESSED,
    *FILLERS,
}
"""What the readers of short messages know."""

REGEXES = {
    "adapters/openai/error_body.py": "a provider's error",
    "adapters/openai/error_patterns.py": "a provider's error",
    "adapters/openai/models.py": "a setting",
    "ops/inspection/marks.py": "a file of the operator's",
    "views/moderation_words.py": "a provider's error",
    "adapters/imaging.py": "the bytes of a picture",
    "adapters/openai/refusal.py": "a provider's error",
    "adapters/openai/extras.py": "a provider's error",
    "adapters/openai/failures.py": "a provider's error",
    "adapters/openai/request_variant.py": "a provider's error",
    "adapters/openai/wording.py": "a provider's error",
    "adapters/placeholder/lettering.py": "readable",
    "adapters/redis_errors.py": "an error of Redis",
    "adapters/slack/api_errors.py": "Slack's error code",
    "demo/bot_child.py": "a line of our own log",
    "domain/button_words.py": "named_button",
    "domain/costs.py": "most_tokens",
    "domain/courtesies.py": "courtesy_of",
    "domain/image_names.py": "read_change",
    "domain/invisible.py": "clean_prompt",
    "domain/policy.py": "a setting",
    "views/usage_words.py": "a month and a sum of money",
    "domain/limit_settings.py": "a number of at most twelve characters",
    "domain/model_names.py": "the name of a model",
    "domain/prompt.py": "parse_flags",
    "domain/option_table.py": "parse_count",
    "domain/images.py": "an image's metadata",
    "domain/sizes.py": "parse_size",
    "domain/slack_errors.py": "Slack's error code",
    "slack/bolt.py": "clean_characters",
    "slack/message_pictures.py": "the address of a file",
    "slack/notation.py": "mention_text",
    "slack/own_mention.py": "mention_text",
    "telemetry/context.py": "an id",
    "telemetry/meters.py": "an error code",
    "telemetry/otel.py": "the address of a call",
    "views/home.py": "parse_page",
    "views/blocks.py": "target_of",
    "views/ids.py": "an action id",
}
"""Module → the parser above that covers it, or what else it reads."""


@pytest.mark.parametrize("parser", PARSERS)
def test_time_grows_with_the_length_whatever_the_text_holds(parser: str) -> None:
    for family, piece in FAMILIES.items():
        for how, frame in FRAMES.items():
            _check_linear(parser, f"{family}, {how}", piece, frame)


@pytest.mark.parametrize("parser", BOUNDS)
def test_the_longest_text_that_is_read_is_read_in_time(parser: str) -> None:
    """Just below the bound it is read as a whole, which takes longest: what grows with each word
    may take minutes there, and no time at all behind it."""
    for piece in FAMILIES.values():
        for bound in BOUNDS[parser]:
            _check_in_time(parser, piece, bound)


@pytest.mark.parametrize(
    "parser", ["courtesy_of", "asks_for_status", "reads_like_change", "named_button"]
)
def test_words_that_can_be_read_in_two_ways_are_read_in_time(parser: str) -> None:
    """`hi all`, where `hi` is read as well: each that follows may double the readings. Nobody
    knows the end, so that none of them is the right one."""
    doubtful = [phrase for phrase in PHRASES if _beginnings(phrase) & PHRASES]
    assert {"hi all", "thanks again", "is it done yet", "make it again"} <= set(doubtful)
    for phrase in doubtful:
        for bound in BOUNDS[parser]:
            _check_in_time(parser, f"{phrase} ", bound, end=" zzz")


def test_what_grows_with_the_square_is_found() -> None:
    assert _is_linear(0.011, 0.022, 0.045)
    assert not _is_linear(0.003, 0.012, 0.060)
    assert not _is_linear(0.050, 0.075, 0.110)


def test_what_one_message_meets_is_done_in_time() -> None:
    """One after the other, as a message that is refused in the end meets them."""
    for piece in FAMILIES.values():
        text = (piece * MAX_TYPED)[:MAX_TYPED]
        assert any(_seconds(_heard, text) < LONGEST for _ in range(RUNS)), piece


def test_a_module_with_a_regular_expression_is_known_here() -> None:
    """So that somebody has thought of what it reads."""
    root = Path(bot.__file__).parent
    using = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if not path.is_relative_to(root / "sandbox") and _uses_regexes(path)
    }
    assert using == set(REGEXES)


def _check_linear(parser: str, case: str, piece: str, frame: str) -> None:
    """The best of several runs counts, in processor time; the first that is good is enough."""
    texts = [frame.format((piece * n)[: n - len(frame)]) for n in (N, 2 * N, 4 * N)]
    if not LONG and _seconds(PARSERS[parser], texts[0]) < NOTICED:
        return
    best = [float("inf")] * len(texts)
    for _ in range(RUNS):
        best[2] = min(best[2], _seconds(PARSERS[parser], texts[2]))
        if best[2] < FLOOR:
            return
        for size in (0, 1):
            best[size] = min(best[size], _seconds(PARSERS[parser], texts[size]))
        if _is_linear(*best):
            return
    raise AssertionError((parser, case, *best))


def _beginnings(phrase: str) -> set[str]:
    words = phrase.split()
    return {" ".join(words[:end]) for end in range(1, len(words))}


def _check_in_time(parser: str, piece: str, bound: int, end: str = "") -> None:
    """From a fraction of the bound up to it, so that what grows fast is found while it is short."""
    for length in (bound // 4, bound // 2, bound - 1, bound):
        text = (piece * length)[: length - len(end)] + end
        longest = max(FLOOR, LONGEST * length / MAX_TYPED)
        assert any(_seconds(PARSERS[parser], text) < longest for _ in range(RUNS)), text[:100]


def _is_linear(short: float, half: float, longest: float) -> bool:
    in_proportion = (
        longest <= MOST_GROWTH * max(short, FLOOR / 4)
        and longest <= MOST_GROWTH * max(half, FLOOR / 4) / 2
    )
    return longest < LONGEST and in_proportion


def _seconds(parse: Callable[[str], object], text: str) -> float:
    """In processor time."""
    gc.disable()
    started = time.process_time()
    with contextlib.suppress(Refusal, ImpossibleValue):
        parse(text)
    ended = time.process_time()
    gc.enable()
    return ended - started


def _heard(text: str) -> object:
    try:
        return clean_prompt(parse_flags(mention_text(text, BOT)).prompt)
    except Refusal as refusal:
        return json.dumps(refusal_words(refusal, command=False))


def _uses_regexes(path: Path) -> bool:
    code = path.read_text()
    if not re.search(r"import.*\bre\b|from re\b", code):
        return False  # without the time to parse it
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import) and any(name.name == "re" for name in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            return True
    return False
