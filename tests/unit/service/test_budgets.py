"""What an attempt reserves."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.domain import begin
from bot.domain.attempt import ImageRef, Source
from bot.domain.call_defaults import Defaults
from bot.domain.costs import Cost, Reservation, Usage
from bot.domain.limits import LimitReached, Limits
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import BeginRequest, LimitsOf, Prices
from bot.service.budgets import Budgets
from tests.fakes import OWNER, FakeSpending, a_session


class TextPrices:
    """A micro-dollar for each token of text."""

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost(usage.text_in, "test", known=True)


class ImagePrices:
    """A micro-dollar for each token of an image. `asked` are the usages that were priced."""

    def __init__(self) -> None:
        self.asked: list[Usage] = []

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        self.asked.append(usage)
        return Cost(usage.image_out, "test", known=True)


async def no_limits(team: str, channel: str, user: str) -> Limits:
    return Limits()


async def two_budgets(team: str, channel: str, user: str) -> Limits:
    return Limits(user_images=9, user=5_000, workspace=9_000)


def budgets_of(prices: Prices, quality: str, limits: LimitsOf = no_limits) -> Budgets:
    defaults = Defaults("m", "", "1024x1024", quality)
    return Budgets(FakeSpending(), prices, limits, defaults, ZoneInfo("UTC"), lambda: 1.0)


def reservation(budgets: Budgets, before: Session, after: Session) -> Reservation:
    reserved = budgets.reserve(Person("T1", OWNER), before, after).latest.reserved
    assert reserved is not None
    return reserved


def reserved(before: Session, after: Session) -> int:
    return reservation(budgets_of(TextPrices(), "low"), before, after).each


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


async def test_an_attempt_is_estimated_once_unless_a_budget_is_reached() -> None:
    prices = ImagePrices()
    budgets = budgets_of(prices, "medium", two_budgets)
    before, person = a_session(Stage.INITIAL_INPUT), Person("T1", OWNER)
    after = budgets.reserve(person, before, begin.submit(before, "a fox", 1.0))
    writes = await budgets.check(BeginRequest(person, before, after.latest, ""))
    assert writes is not None
    assert [usage.image_out for usage in prices.asked] == [439]

    refusals = [write.limit.refusal for write in writes(after) if write.limit]
    lefts = {each: 6_000 for each in refusals if isinstance(each, LimitReached)}
    told = next(iter(lefts)).in_view_of(lefts)
    assert (told.standing.lowest, told.standing.smallest) == (196, 219)
    assert [usage.image_out for usage in prices.asked] == [439, 196, 219]


def reserved_of_image(before: Session, after: Session) -> tuple[int, str]:
    """The tokens of the image, and the size that the ledger names."""
    held = reservation(budgets_of(ImagePrices(), "max"), before, after)
    return held.each, held.size


def test_an_edit_reserves_the_size_that_its_image_makes_it_ask_for() -> None:
    session = a_session()
    (image,) = session.latest.candidates
    landscape = replace(image, width=1536, height=1024)
    session = replace(session, attempts=(replace(session.latest, candidates=(landscape,)),))
    edited = begin.refine(session, ImageRef(1), "more fog", 1.0)
    assert reserved_of_image(session, edited) == (7_024 * 3 // 2, "1536x1024")


def test_an_edit_of_a_picture_reserves_as_much_as_any_shape_of_it_makes_it_ask_for() -> None:
    new = replace(a_session(Stage.INITIAL_INPUT), source=Source("F1", "image/png", 9))
    tokens, size = reserved_of_image(new, begin.submit(new, "more fog", 1.0))
    assert tokens >= 7_024 * 1_584 * 1_984 / 1_024**2
    assert size == "1024x1024"


def test_an_edit_in_a_chosen_size_reserves_that() -> None:
    new = replace(a_session(Stage.INITIAL_INPUT), source=Source("F1", "image/png", 9))
    chosen = begin.submit(new, "more fog", 1.0, Options(size="1536x1024"))
    assert reserved_of_image(new, chosen) == (7_024 * 3 // 2, "1536x1024")
