"""What the doctor says of settings that the server of images refuses."""

from __future__ import annotations

import pytest

from bot.adapters.openai import scopes
from bot.ops.doctor.finding import Verdict
from bot.ops.doctor.refused import check_refused
from bot.settings import Backend, Settings
from tests.fakes import FakeRefusedSettings


def settings_of(backend: Backend) -> Settings:
    return Settings(_env_file=None, image_backend=backend)  # type: ignore[call-arg]


def refusing(*names: str) -> FakeRefusedSettings:
    """What the server refuses of both of OpenAI's APIs."""
    settings, shared = settings_of(Backend.IMAGES), FakeRefusedSettings()
    for responses in (True, False):
        for scope in scopes(
            responses,
            settings.openai_base_url,
            settings.image_model,
            settings.image_host_model,
        ):
            shared.kept[scope] = set(names)
    return shared


@pytest.mark.parametrize("backend", [Backend.RESPONSES, Backend.IMAGES])
async def test_what_is_left_out_is_told_once(backend: Backend) -> None:
    (finding,) = await check_refused(refusing("QUALITY", "STORE"), settings_of(backend))
    assert finding.verdict is Verdict.WARNING
    assert "quality" in finding.text
    assert "store" in finding.text
    assert "IMAGE_QUALITY" in finding.advice


async def test_what_the_operator_has_not_set_needs_no_advice() -> None:
    (finding,) = await check_refused(refusing("STORE"), settings_of(Backend.IMAGES))
    assert finding.advice == ""


async def test_where_nothing_is_refused_nothing_is_told() -> None:
    assert await check_refused(refusing(), settings_of(Backend.IMAGES)) == []


async def test_other_backends_are_not_looked_up() -> None:
    shared = refusing("QUALITY")
    assert await check_refused(shared, settings_of(Backend.PLACEHOLDER)) == []
    assert shared.loads == 0


async def test_a_store_that_is_away_is_told_elsewhere() -> None:
    shared = refusing("QUALITY")
    shared.away = True
    assert await check_refused(shared, settings_of(Backend.IMAGES)) == []
