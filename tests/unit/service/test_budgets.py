"""What an attempt reserves."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.domain import begin
from bot.domain.attempt import ImageRef
from bot.domain.costs import Cost, Usage
from bot.domain.limits import Limits
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service.budgets import Budgets, Defaults
from tests.fakes import OWNER, FakeSpending, a_session


class TextPrices:
    """A micro-dollar for each token of text."""

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost(usage.text_in, "test", known=True)


async def no_limits(team: str, channel: str, user: str) -> Limits:
    return Limits()


def reserved(before: Session, after: Session) -> int:
    budgets = Budgets(
        FakeSpending(),
        TextPrices(),
        no_limits,
        Defaults("m", "", "1024x1024", "low"),
        ZoneInfo("UTC"),
        lambda: 1.0,
    )
    attempt = budgets.reserve(Person("T1", OWNER), before, after).latest
    assert attempt.reserved is not None
    return attempt.reserved.each


def test_a_prompt_reserves_a_token_for_each_byte_that_no_pair_of_letters_saves() -> None:
    new = a_session(Stage.INITIAL_INPUT)
    few, many = ("霧" * count for count in (10, 1_000))
    more = reserved(new, begin.submit(new, many, 1.0)) - reserved(new, begin.submit(new, few, 1.0))
    assert more == 990 * len("霧".encode())


def test_an_edit_reserves_what_it_repeats_of_the_edits_before_it() -> None:
    session = a_session(attempts=2)
    first, second = session.attempts
    change = "夜" * 100
    edited = replace(second, base=ImageRef(1), change=change)
    chain = replace(session, attempts=(first, edited))
    of_first, of_second = (
        reserved(chain, begin.refine(chain, base, "more fog", 1.0))
        for base in (ImageRef(1), ImageRef(2))
    )
    assert of_second - of_first >= len(change.encode())


def test_another_image_reserves_the_descriptions_of_those_that_were_turned_down() -> None:
    session = a_session()
    described = "霧の中の狐" * 20
    (image,) = session.latest.candidates
    shown = replace(session.latest, candidates=(replace(image, revised_prompt=described),))
    plain = reserved(session, begin.regenerate(session, 1, 1.0))
    session = replace(session, attempts=(shown,))
    more = reserved(session, begin.regenerate(session, 1, 1.0)) - plain
    assert more >= len(described.encode())
