"""Which session of a thread, and which of its images, a reply is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.policy import Policy
from bot.domain.session import KeptWords, Session
from bot.domain.stages import Discard, Stage
from bot.service.reply_targets import (
    is_open,
    offered_images,
    session_with_reply,
    target_session,
)
from tests.fakes import BOSS, BYSTANDER, OWNER, STRANGER, a_session, an_attempt
from tests.unit.service.services import in_thread

OWNER_ALONE = Policy.parse("owner", "T1")
MINE = a_session(id="T1.U1.mine")
OLDER = a_session(id="T1.U1.older", root_ts="9.9")
FINAL = replace(a_session(Stage.FINAL), id="T1.U1.final", root_ts="9.9")
DISCARDED = replace(a_session(), id="T1.U1.gone", root_ts="9.9", discard=Discard.DISCARDED)
THEIRS = a_session(id="T1.U2.theirs", user=STRANGER)


@pytest.mark.parametrize(
    ("there", "meant"),
    [
        ((), None),
        ((MINE, OLDER), MINE),
        ((OLDER, MINE), OLDER),
        ((FINAL, OLDER), OLDER),
        ((DISCARDED, OLDER), OLDER),
        ((THEIRS, OLDER), OLDER),
        ((FINAL,), None),
        ((FINAL, THEIRS), THEIRS),
        ((replace(THEIRS, root_ts="9.9"),), None),
        (
            (replace(THEIRS, root_ts="9.9", asked_ts="1.0"),),
            replace(THEIRS, root_ts="9.9", asked_ts="1.0"),
        ),
    ],
)
def test_a_reply_is_about_an_open_session_of_its_author_or_about_the_thread(
    there: tuple[Session, ...], meant: Session | None
) -> None:
    assert target_session(there, in_thread("1.0", person=BOSS), OWNER_ALONE) == meant


def test_a_stranger_reaches_the_session_of_the_thread_alone() -> None:
    origin = in_thread("1.0", person=BYSTANDER)
    assert target_session((OLDER, MINE), origin, OWNER_ALONE) == MINE
    assert target_session((OLDER,), origin, OWNER_ALONE) is None


def test_the_same_reply_goes_to_the_session_that_has_it() -> None:
    origin = in_thread("1.0")
    key = origin.idempotency_key
    asked = a_session()
    asked = replace(asked, attempts=(replace(asked.latest, idempotency_key=key),))
    kept = a_session(kept_words=(KeptWords(origin.session_id(), "a hat", OWNER, 1),))
    for session in (asked, kept, a_session(id=origin.session_id())):
        assert session_with_reply((OLDER, session), origin) == session
    assert session_with_reply((OLDER, MINE), origin) is None


def test_what_is_approved_or_discarded_is_not_open() -> None:
    assert [is_open(each) for each in (MINE, FINAL, DISCARDED)] == [True, False, False]


def test_the_newest_drafts_are_offered_oldest_first() -> None:
    images = offered_images(a_session(attempts=6))
    assert images == tuple(ImageRef(number) for number in (3, 4, 5, 6))


def test_of_a_draft_with_several_images_its_own_alone_are_offered() -> None:
    several = (an_attempt(1, posted=True), an_attempt(2, posted=True, images=3))
    assert offered_images(replace(a_session(), attempts=several)) == tuple(
        ImageRef(2, number) for number in (1, 2, 3)
    )


def test_without_a_draft_nothing_is_offered() -> None:
    assert offered_images(a_session(Stage.GENERATING)) == ()
