"""The names under which a model may be known."""

from __future__ import annotations

import pytest

from bot.domain.model_names import base_model, names_of

MODEL = "gpt-image-2.5-flare"


def test_the_most_exact_name_comes_first() -> None:
    named = names_of(" Azure/eu/GPT-Image-2.5-flare-2026-08-01 ")
    assert named == (
        "azure/eu/gpt-image-2.5-flare-2026-08-01",
        "azure/eu/gpt-image-2.5-flare",
        "gpt-image-2.5-flare-2026-08-01",
        "gpt-image-2.5-flare",
    )
    assert names_of(MODEL) == (MODEL,)


@pytest.mark.parametrize(
    "name",
    [
        f"{MODEL}-2026-08-01",
        f"{MODEL}-20260801",
        f"{MODEL}@20260801",
        f"{MODEL}@2026-08-01",
        f"openai/{MODEL}",
        f"azure/{MODEL}",
        f"azure/eu/{MODEL}-2026-08-01",
        f"openrouter/openai/{MODEL}",
        "GPT-Image-2.5-FLARE",
        f"\t{MODEL}\n",
        f"OpenAI/{MODEL.upper()}-2026-12-31 ",
    ],
)
def test_a_snapshot_a_provider_and_the_case_name_the_same_model(name: str) -> None:
    assert base_model(name) == MODEL


@pytest.mark.parametrize(
    "other",
    [
        f"{MODEL}-mini",
        f"{MODEL}-pro",
        f"{MODEL}-mini-2026-08-01",
        f"openai/{MODEL}-pro",
        f"{MODEL}-preview",
        f"{MODEL}-2",
        f"{MODEL}-2026",
        f"{MODEL}-2026-08",
        f"{MODEL}-2026-13-01",
        f"{MODEL}-2026-08-32",
        f"{MODEL}-20261301",
        f"{MODEL}-2026-08-01-mini",
        f"{MODEL}-２０２６-08-01",
        f"{MODEL}2026-08-01",
        f"my{MODEL}",
        f"my-{MODEL}",
        "gpt-image-2.5",
        "",
        "/",
        f"{MODEL}/",
    ],
)
def test_another_model_is_another_one(other: str) -> None:
    assert MODEL not in names_of(other)


@pytest.mark.parametrize("name", ["", " ", "/", "openai/", "-2026-08-01", "openai/-2026-08-01"])
def test_there_is_always_a_name_and_none_is_empty_but_that_of_nothing(name: str) -> None:
    assert names_of(name)
    assert all(names_of(name)) or not name.strip()
