"""What a refusal by a limit offers by buttons."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Attempt, ImageRef, Source
from bot.domain.limits import LimitReached, Quota, ReducedRequest, RefusedAttempt, Standing
from bot.domain.options import Options
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.sandbox.webapi.block_kit import block_problems
from bot.views import ids
from bot.views.limit_offers import LimitOffer, limit_offer_message, read_limit_offer
from tests.fakes import CHANNEL, ID, a_session, generating

NEW = Session("T1.U1.00", "T1", "U1", CHANNEL, thread_ts="4.4", asked_ts="4.5")
BUDGET = Standing(Quota.USER, 9_970_000, 10_000_000, 1e9, 13_000, 4_000)


def refused(
    fitting: int,
    lowest: int = 0,
    *,
    asked: int = 4,
    session: Session = NEW,
    attempt: Attempt | None = None,
) -> LimitReached:
    attempt = attempt or Attempt(0, "a fox", Options(count=asked, size="1024x1536"))
    return LimitReached(BUDGET, asked, fitting, "a fox", lowest, RefusedAttempt(session, attempt))


def offers(refusal: LimitReached) -> dict[str, str]:
    """Values by labels."""
    message = limit_offer_message(refusal, command=True)
    assert block_problems(message.blocks) == []
    rows = [block for block in message.blocks if block["type"] == "actions"]
    return {each["text"]["text"]: each["value"] for row in rows for each in row["elements"]}


def test_fewer_images_and_the_lowest_quality_are_offered_as_far_as_they_fit() -> None:
    fewer, lower = "Make 2 images instead", "Make it in low quality instead"
    both = offers(refused(2, 4))
    assert list(both) == [fewer, lower]
    assert read_limit_offer(both[fewer]).reduced.options == Options(count=2, size="1024x1536")
    assert read_limit_offer(both[lower]).reduced.options.get("quality") == "low"
    assert list(offers(refused(1, 3))) == [
        "Make 1 image instead",
        "Make 3 images in low quality instead",
    ]
    assert list(offers(refused(0, 1, asked=1))) == [lower]
    assert offers(refused(2, 2)).keys() == {fewer}
    assert offers(refused(-1, 0)) == offers(refused(0, 0)) == {}


def test_an_offer_of_a_new_session_keeps_its_words_place_and_picture() -> None:
    source = Source("F1", "image/png", 5)
    attempt = Attempt(0, "a = b --n & 🦊", Options(count=4), change="a = b", base=ImageRef(0))
    (value,) = offers(refused(1, session=replace(NEW, source=source), attempt=attempt)).values()
    assert read_limit_offer(value) == LimitOffer(
        ReducedRequest(Options(count=1), ImageRef(0), "a = b --n & 🦊", "a = b"),
        CHANNEL,
        thread_ts="4.4",
        asked_ts="4.5",
        source=source,
    )


def test_an_offer_in_a_session_leaves_the_words_out_that_its_newest_attempt_has() -> None:
    session = a_session()
    long = "x" * 3_000
    session = replace(session, attempts=(replace(session.latest, prompt=long, change=long),))
    again = Attempt(0, long, Options(count=4), change=long, base=ImageRef(0))
    (value,) = offers(refused(3, session=session, attempt=again)).values()
    assert read_limit_offer(value) == LimitOffer(
        ReducedRequest(Options(count=3), ImageRef(0)),
        CHANNEL,
        session.id,
        len(session.attempts),
    )
    afresh = Attempt(0, long, Options(count=4))
    (value,) = offers(refused(3, session=session, attempt=afresh)).values()
    assert read_limit_offer(value).reduced.change == ""


@pytest.mark.parametrize("prompt", ["x" * 2_000, "🦊" * 1_000, '"' * 1_000])
def test_what_is_too_long_for_a_button_is_told_in_words_alone(prompt: str) -> None:
    refusal = refused(2, attempt=Attempt(0, prompt, Options(count=4)))
    assert offers(refusal) == {}
    assert "--n 2" in limit_offer_message(refusal, command=True).text


def test_what_waits_is_told_each_with_its_cancel() -> None:
    refusal = refused(0)
    refusal.waiting = (generating(),)
    message = limit_offer_message(refusal, command=True)
    assert block_problems(message.blocks) == []
    button = message.blocks[1]["accessory"]
    assert (button["action_id"], button["value"]) == (ids.CANCEL_WAITING, f"{ID}#1")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "a fox --n 2",
        "[]",
        "{}",
        '{"c":"C1"}',
        '{"c":"C1","o":[]}',
        '{"c":"C1","o":{"count":"x"}}',
        '{"c":"C1","o":{},"b":[1,2,3]}',
        '{"c":"C1","o":{},"f":7}',
        '{"c":7,"o":{},"p":"a fox"}',
        '{"c":"C1","o":{},"p":7}',
        '{"c":"C1","o":{},"p":"a fox","w":[]}',
        '{"c":"C1","o":{},"p":"a fox","s":7}',
        '{"c":"C1","o":{},"p":"a fox","n":"x"}',
        '{"k":7,"o":{}}',
        "[" * 1_999,
    ],
)
def test_another_value_is_refused(value: str | None) -> None:
    with pytest.raises(Refusal):
        read_limit_offer(value)
