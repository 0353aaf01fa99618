"""The model that follows from what was measured."""

from __future__ import annotations

import pytest

from bot.settings import Settings
from tests.programs.load.redis_model import STAYS, Cost, kind_of, table

COST = Cost(
    cpu=0.01,
    network=3e6,
    file=2.7e6,
    memory={"books": 2_000.0, "session": 3_000.0, "queue": 4_800.0, "image": 2_400_000.0},
    commands={"evalsha": 40.0, "hget": 60.0, "set": 7.0},
)

BOOKS = 400_000 * 2_000
"""Of a thousand ideas a day."""


def test_what_is_held_is_as_old_as_each_kind_stays_and_the_images_of_the_busiest_hour() -> None:
    assert COST.held(1_000) == pytest.approx(BOOKS + 7_000 * 3_000 + 200 * (4_800 + 2_400_000))


def test_what_the_model_takes_for_granted_are_the_defaults() -> None:
    names = {
        "books": ("audit_ttl", "ledger_ttl"),
        "session": ("session_ttl",),
        "image": ("image_ttl",),
    }
    for kind, settings in names.items():
        assert {Settings.model_fields[name].default for name in settings} == {STAYS[kind]}


def test_images_that_stay_for_less_than_an_hour_are_held_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(STAYS, "image", 600)
    assert COST.held(1_000) == pytest.approx(BOOKS + 7_000 * 3_000 + 200 * (4_800 + 400_000))


def test_what_fits_holds_no_more_than_is_allowed() -> None:
    most = COST.most_by_memory(1e9)
    assert COST.held(most) == pytest.approx(0.8e9)
    assert COST.most_by_memory(2e9) == pytest.approx(2 * most)


def test_a_core_is_busy_for_half_of_the_busy_hour() -> None:
    assert COST.most_by_cpu() * 0.2 * 0.01 == pytest.approx(0.5 * 3600)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("imagine:{T1}:session:U1.a", "session"),
        ("imagine:{T1}:session:U1.a:generated_image:1", "image"),
        ("imagine:{T1}:images:U1", "session"),
        ("{imagine}:imagine-generate:wait", "queue"),
        ("imagine:{T1}:record", "books"),
        ("imagine:{T1}:record:words:U1.a", "books"),
        ("imagine:{T1}:ledger", "books"),
    ],
)
def test_a_key_is_counted_where_it_stays(key: str, kind: str) -> None:
    assert kind_of(key) == kind


def test_the_table_names_the_most_frequent_commands_first() -> None:
    said = table(COST, [4])
    assert "| commands | 107 (hget 60, evalsha 40, set 7) |" in said
    assert "| a day by one core | 900,000 ideas |" in said
