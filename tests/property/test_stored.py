"""What the store writes: keys for any id, and fields that come back as they were."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.redis import record_schema, schema
from bot.adapters.redis.schema import (
    image_key,
    session_key,
    signature_key,
    user_key,
)
from bot.adapters.redis.session_fields import (
    from_fields,
    options_from_json,
    options_to_json,
    to_fields,
)
from bot.domain.attempt import ImageRef
from bot.domain.options import Options
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from tests.property.strategies import ANY_SESSIONS, OPTION_VALUES
from tests.support.hypotheses import TIMEOUT

pytestmark = pytest.mark.timeout(TIMEOUT)

SAFE = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
IDS = st.tuples(SAFE, SAFE, SAFE)


@given(ANY_SESSIONS)
def test_a_session_comes_back_as_it_was(session: Session) -> None:
    stored = to_fields(session)
    assert all(isinstance(value, str) for value in stored.values())
    assert from_fields(stored) == session


@given(ANY_SESSIONS, ANY_SESSIONS)
def test_what_changed_makes_the_new_session_of_the_old_one(old: Session, new: Session) -> None:
    assert to_fields(old) | to_fields(new, old) == to_fields(new)
    assert not to_fields(old, old)


@given(OPTION_VALUES)
def test_options_come_back_as_they_were(options: Options) -> None:
    assert options_from_json(options_to_json(options)) == options


@given(st.text())
def test_any_id_has_a_key_or_is_refused(session_id: str) -> None:
    try:
        key = session_key(session_id)
    except Refusal:
        assert not all(session_id.split(".", 2)) or session_id.count(".") < 2
        return
    assert key.startswith("imagine:{")
    assert image_key(session_id, ImageRef(1)).startswith(f"{key}:generated_image:")


@given(IDS, IDS)
def test_two_ids_never_have_one_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    both = {session_key(".".join(parts)) for parts in (one, other)}
    assert len(both) == len({one, other})


@given(IDS, IDS, st.integers(0, 9), st.integers(1, 4))
def test_no_key_of_one_kind_is_one_of_another(
    one: tuple[str, str, str], other: tuple[str, str, str], attempt: int, candidate: int
) -> None:
    session, image = ".".join(one), ImageRef(attempt, candidate)
    kinds = [session_key(".".join(other)), image_key(session, image), user_key(other[0], other[1])]
    assert len({*kinds, signature_key(other[2])}) == 4


@given(IDS)
def test_every_key_of_a_workspace_carries_its_tag(parts: tuple[str, str, str]) -> None:
    """And no key of a server carries one."""
    team, user, _ = parts
    session_id = ".".join(parts)
    of_a_workspace = {
        "session_key": schema.session_key(session_id),
        "question_key": schema.question_key(session_id),
        "image_key": schema.image_key(session_id, ImageRef(1)),
        "user_key": schema.user_key(team, user),
        "unfinished_key": schema.unfinished_key(team),
        "defaults_key": schema.defaults_key(team, user),
        "holds_key": schema.holds_key(team),
        "ledger_key": schema.ledger_key(team),
        "spent_key": schema.spent_key(team, "2026-11"),
        "asked_key": schema.asked_key(team, "2026-11-28"),
        "told_key": schema.told_key(team, "2026-11"),
        "notices_key": schema.notices_key(team),
        "thread_key": schema.thread_key(team, "C1", "1.0"),
        "limits_key": schema.limits_key(team),
        "waiting_key": schema.waiting_key(team, user),
        "pace_key": schema.pace_key(team, "chat.update"),
        "picture_key": schema.picture_key(team, "F1"),
        "readers_key": schema.readers_key(team, "F1"),
        "images_key": schema.images_key(team, user),
        "extra_key": schema.extra_key(team, "holds"),
        "record_key": record_schema.record_key(team),
        "seals_key": record_schema.seals_key(team),
        "floor_key": record_schema.floor_key(team),
        "person_key": record_schema.person_key(team, user),
        "words_key": record_schema.words_key(session_id),
    }
    of_a_server = {
        "signature_key": schema.signature_key("v0=1"),
        "run_key": schema.run_key("r1"),
        "refused_key": schema.refused_key("0123456789abcdef"),
    }
    modules = (schema, record_schema)
    names = {name for module in modules for name in vars(module) if name.endswith("_key")}
    named = {name for name in names if not name.startswith("_")}
    assert named == of_a_workspace.keys() | of_a_server.keys()
    for name, key in of_a_workspace.items():
        assert key.startswith(f"imagine:{{{team}}}:"), name
    fixed = [schema.WORKSPACES, schema.CANCELLED, schema.APP_BLOCKED, schema.TEST_WRITE]
    assert not any("{" in key for key in [*fixed, *of_a_server.values()])
