"""What a session says of itself: its drafts, its images, and how they came about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate, ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.policy import Person, Policy
from bot.domain.session import IN_PROGRESS, Session, with_attempt
from bot.domain.stages import Stage
from tests.fakes import a_session, an_attempt, generating, somebody

BASE = ImageRef(0)


def lineage(*steps: tuple[ImageRef | None, str]) -> Session:
    """A session whose attempts edit these images, with these changes."""
    attempts = tuple(
        an_attempt(number, posted=True, images=2, base=base, change=change)
        for number, (base, change) in enumerate(steps, 1)
    )
    return replace(a_session(), attempts=attempts)


# drafts


def test_the_newest_draft_is_the_last_one_that_was_posted() -> None:
    assert a_session(Stage.INITIAL_INPUT).newest_draft is None
    assert generating().newest_draft is None
    running = generating(3)
    assert running.newest_draft == running.attempt(2)


def test_with_attempt_replaces_the_one_of_its_number_alone() -> None:
    session = a_session(attempts=3)
    changed = with_attempt(session, replace(session.attempt(2), message_ts="9.9"))
    assert [a.message_ts for a in changed.attempts] == ["1.5", "9.9", "3.5"]


# images


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (ImageRef(1), True),
        (ImageRef(1, 3), True),
        (ImageRef(1, 2), False),
        (ImageRef(1, 4), False),
        (ImageRef(1, 0), False),
        (ImageRef(1, -1), False),
        (ImageRef(2), False),
        (ImageRef(3), False),
        (ImageRef(0), False),
        (ImageRef(-1), False),
        (ImageRef(9999, 4), False),
    ],
)
def test_an_image_is_shown_where_it_came_and_its_draft_was_posted(
    image: ImageRef, shown: bool
) -> None:
    first = an_attempt(1, posted=True, images=3)
    first = first.with_candidate(Candidate(2, failure=FailureKind.NO_IMAGE))
    unposted = an_attempt(2, posted=True, message_ts="")
    assert replace(a_session(), attempts=(first, unposted)).shows(image) is shown


def test_all_images_are_those_of_every_candidate() -> None:
    attempts = (an_attempt(1, images=2), an_attempt(2))
    session = replace(a_session(), attempts=attempts)
    assert list(session.all_images()) == [ImageRef(1), ImageRef(1, 2), ImageRef(2)]
    assert list(a_session(Stage.INITIAL_INPUT).all_images()) == []


def test_the_final_image_is_the_approved_candidate() -> None:
    assert a_session().final_image is None
    assert a_session(Stage.FINAL, attempts=2).final_image == ImageRef(2)
    chosen = a_session(Stage.FINAL, attempts=2, final_candidate=3)
    assert chosen.final_image == ImageRef(2, 3)


# lineage


@pytest.mark.parametrize(
    ("steps", "image", "changes"),
    [
        ([(None, "")], ImageRef(1), ()),
        ([(None, ""), (ImageRef(1), "night")], ImageRef(1), ()),
        ([(None, ""), (ImageRef(1), "night")], ImageRef(2), ("night",)),
        ([(None, ""), (ImageRef(1), "night")], ImageRef(2, 2), ("night",)),
        (
            [(None, ""), (ImageRef(1, 2), "night"), (ImageRef(2, 2), "rain")],
            ImageRef(3),
            ("night", "rain"),
        ),
        (
            [(None, ""), (ImageRef(1), "night"), (ImageRef(1), "rain"), (ImageRef(2), "fog")],
            ImageRef(4),
            ("night", "fog"),
        ),
        ([(None, ""), (ImageRef(1), "night"), (None, "")], ImageRef(3), ()),
        ([(BASE, "a hat")], ImageRef(1), ("a hat",)),
        ([(BASE, "a hat"), (ImageRef(1), "night")], ImageRef(2), ("a hat", "night")),
        ([(BASE, "a hat"), (ImageRef(1), "night")], BASE, ()),
    ],
)
def test_the_changes_on_the_way_to_an_image_come_oldest_first(
    steps: list[tuple[ImageRef | None, str]], image: ImageRef, changes: tuple[str, ...]
) -> None:
    assert lineage(*steps).changes_up_to(image) == changes


# in progress


@pytest.mark.parametrize(
    ("session", "in_progress"),
    [
        (a_session(Stage.INITIAL_INPUT), False),
        (a_session(Stage.INITIAL_INPUT, source=Source("F7")), False),
        (a_session(Stage.INITIAL_INPUT, attempts=1), False),
        (replace(generating(), stage=Stage.INITIAL_INPUT), False),
        (generating(), True),
        (a_session(), True),
        (a_session(Stage.FINAL), False),
        (a_session(Stage.FINAL, final_ts="9.0"), False),
    ],
)
def test_a_session_is_in_progress_while_it_is_made_or_waits_for_a_decision(
    session: Session, in_progress: bool
) -> None:
    assert (session.stage in IN_PROGRESS) is in_progress


# who may direct it

EVERYBODY = ("U1", "U2", "U3")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("owner", {"U1"}),
        ("U2", {"U1", "U2"}),
        ("U2,U3", {"U1", "U2", "U3"}),
        ("anyone", {"U1", "U2", "U3"}),
    ],
)
def test_the_owner_always_may_and_others_as_the_setting_says(text: str, allowed: set[str]) -> None:
    policy, session = Policy.parse(text), a_session()
    assert {u for u in EVERYBODY if policy.allows(somebody(u), session)} == allowed


def test_by_default_only_the_owner_may() -> None:
    assert Policy().allows(somebody("U1"), a_session())
    assert not Policy().allows(somebody("U2"), a_session())


@pytest.mark.parametrize("org", ["T2", "E9", ""])
def test_the_same_user_id_of_another_team_is_another_person(org: str) -> None:
    assert not Policy(others=frozenset({"U1", "U2"})).allows(Person(org, "U1"), a_session())
    assert not Policy(others=frozenset({"U2"})).allows(Person(org, "U2"), a_session())


def test_an_outsider_owns_what_is_the_outsiders_alone() -> None:
    theirs = a_session(owner_org="T9")
    assert Policy().allows(Person("T9", "U1"), theirs)
    assert not Policy().allows(somebody("U1"), theirs)
    assert not Policy().allows(Person("T8", "U1"), theirs)
    assert Policy(others=frozenset({"U1"})).allows(somebody("U1"), theirs)


def test_a_session_from_before_people_had_an_organisation_is_the_installations() -> None:
    old, policy = a_session(team="T2"), Policy(team="E1")
    assert policy.allows(Person("E1", "U1"), old)
    assert not policy.allows(Person("T2", "U1"), old)
