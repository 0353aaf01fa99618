"""Prices: the package's, ours, the operator's."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.adapters.prices import (
    IMAGE_KINDS,
    NO_OWN_PRICES,
    PricesFileError,
    TokenPrices,
    prices_with,
    read_prices,
)
from bot.domain.costs import Cost, Usage

FLARE, HOST = "gpt-image-2.5-flare", "gpt-5.6-luna"


def test_a_call_costs_what_both_models_took() -> None:
    usage = Usage(text_in=20, image_in=300, image_out=439, host_in=100, host_out=20)
    cost = TokenPrices().cost(FLARE, HOST, usage)
    assert cost.known
    assert cost.micro == 20 * 5 + 300 * 8 + 439 * 30 + 20 + 24
    assert cost.version.startswith("genai-prices ")


def test_what_is_cached_costs_less_and_half_a_micro_dollar_is_rounded_up() -> None:
    usage = Usage(text_in=100, cached_text_in=50, image_in=300, cached_image_in=100)
    assert TokenPrices().cost(FLARE, "", usage).micro == 250 + 63 + 1600 + 200


@pytest.mark.parametrize("model", ["gpt-image-2.6-flare", "gpt-image-2.6-sunburst"])
def test_models_that_the_package_does_not_know_are_in_our_table(model: str) -> None:
    cost = TokenPrices().cost(model, HOST, Usage(text_in=10, image_out=100))
    assert cost == Cost(3050, "openai 2026-11", known=True)


def test_an_unknown_price_is_said_once_and_counts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    prices = TokenPrices()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert prices.cost("my-model", "", Usage(image_out=100)) == Cost()
    assert len(caplog.records) == 1
    assert "PRICES_FILE" in caplog.text


def test_a_cost_of_which_only_a_part_is_known_is_not_known() -> None:
    usage = Usage(image_out=100, host_in=5)
    assert TokenPrices().cost("my-model", HOST, usage) == Cost()
    cost = TokenPrices().cost(FLARE, "my-host", usage)
    assert (cost.micro, cost.known) == (3000, False)  # a new host model lifts no budget


def test_the_operators_prices_come_first_and_their_default_last(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    prices = "image_out = 1.5\nimage_in = 2\n[default]\nimage_out = 40\nimage_in = 1\n"
    file.write_text(f'[models."{FLARE}"]\n{prices}')
    own = read_prices(file)
    of_tokens = TokenPrices(own)
    usage = Usage(image_out=100, image_in=7)
    assert of_tokens.cost(FLARE, "", usage) == Cost(164, own.version, known=True)
    assert of_tokens.cost("my-model", "", usage) == Cost(4007, own.version, known=True)
    assert of_tokens.cost("gpt-image-2.6-flare", "", usage).micro == 3056


def test_a_kind_that_the_operator_leaves_out_costs_what_is_known_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "prices.toml"
    tables = (FLARE, "gpt-image-2.6-flare", "my-model")
    file.write_text(
        "".join(f'[models."{name}"]\ntext_in = 2\n' for name in tables)
        + "[default]\nimage_out = 40\ntext_in = 9\n"
    )
    own = read_prices(file)
    prices, usage = TokenPrices(own), Usage(text_in=10, image_in=7, image_out=100)
    package = prices.cost(FLARE, "", usage)
    assert (package.micro, package.known) == (10 * 2 + 7 * 8 + 100 * 30, True)
    assert package.version.startswith(f"{own.version} + genai-prices ")
    ours = prices.cost("gpt-image-2.6-flare", "", usage)
    assert ours == Cost(package.micro, f"{own.version} + openai 2026-11", known=True)
    assert not caplog.messages
    for _ in range(2):
        assert prices.cost("my-model", "", usage) == Cost(20 + 4000, own.version, known=False)
    assert caplog.messages == [
        "no price of image_in is known for the model 'my-model': PRICES_FILE can give one"
    ]
    assert prices.unpriced("my-model", IMAGE_KINDS) == ["image_in"]


def test_images_of_which_the_file_leaves_out_the_price_are_not_known(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.m]\ntext_in = 5\n")
    usage = Usage(text_in=100, image_out=439)
    assert TokenPrices(read_prices(file)).cost("m", "", usage).known is False


@pytest.mark.parametrize("table", ["models.m", "default"])
@pytest.mark.parametrize("kind", ["text_in", "text_out", "image_in", "cached_text_in"])
def test_a_file_without_the_price_of_the_models_images_is_refused(
    tmp_path: Path, table: str, kind: str
) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(f"[{table}]\n{kind} = 5\n")
    own = read_prices(file)
    for name in ("m", "openai/m-2026-11-03"):
        with pytest.raises(PricesFileError, match=rf"prices.toml: {name} needs image_out"):
            prices_with(own, name)
    prices_with(own, FLARE)
    prices_with(NO_OWN_PRICES, "m")


@pytest.mark.parametrize(
    "model", ["text-embedding-3-large", "my-moderation-image", "whisper-1", "tts-1"]
)
def test_what_the_package_has_no_price_of_is_not_free(model: str) -> None:
    usage = Usage(text_in=10, image_out=100)
    assert not TokenPrices().cost(model, "", usage).known
    assert "image_out" in TokenPrices().unpriced(model, IMAGE_KINDS)


def test_a_host_model_of_which_the_file_leaves_out_a_price_is_not_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[default]\nimage_out = 40\n")
    usage = Usage(text_in=10, image_out=100, host_in=50, host_out=9)
    cost = TokenPrices(read_prices(file)).cost(FLARE, "theirs", usage)
    assert (cost.micro, cost.known) == (3050, False)
    assert "no price is known for the model 'theirs'" in caplog.text


def test_tokens_of_a_long_prompt_cost_what_the_packages_tier_says() -> None:
    low, high = (
        TokenPrices().cost(FLARE, HOST, Usage(image_out=1, host_in=n)).micro - 30
        for n in (272_000, 272_001)
    )
    assert high == 2 * low


def test_other_prices_in_the_file_are_another_version(tmp_path: Path) -> None:
    file, versions = tmp_path / "prices.toml", []
    for price in (1, 2, 1):
        file.write_text(f"[default]\nimage_out = {price}\n")
        versions.append(TokenPrices(read_prices(file)).cost("m", "", Usage(image_out=1)).version)
    assert versions[0] == versions[2] != versions[1]
    assert all(version.startswith("PRICES_FILE ") for version in versions)


def test_a_snapshot_costs_what_its_model_does(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.m]\nimage_out = 1\n[models.m-2026-11-01]\nimage_out = 2\n")
    prices, usage = TokenPrices(read_prices(file)), Usage(image_out=100)
    assert prices.cost("gpt-image-2.6-flare-2026-11-03", "", usage).micro == 3000
    assert prices.cost("m-2026-11-03", "", usage).micro == 100
    assert prices.cost("m-2026-11-01", "", usage).micro == 200
    assert not prices.cost("m-2", "", usage).known


SPELLINGS = [
    "{}-2026-08-01",
    "{}-20260801",
    "openai/{}",
    "azure/{}",
    "azure/eu/{}-2026-08-01",
    " {} ",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("model", [FLARE, "gpt-image-2.6-flare", "gpt-image-1-mini", "my-model"])
def test_every_name_of_a_model_has_its_price(tmp_path: Path, model: str, spelling: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models."My-Model"]\nimage_out = 7\n')
    prices, usage = TokenPrices(read_prices(file)), Usage(image_out=100)
    named = spelling.format(model)
    for name in (named, named.upper()):
        assert prices.cost(name, "", usage) == prices.cost(model, "", usage)
    assert prices.cost(named, "", usage).known


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_name_of_a_host_model_has_its_price(spelling: str) -> None:
    usage, named = Usage(image_out=1, host_in=1000, host_out=1000), spelling.format(HOST)
    assert TokenPrices().cost(FLARE, named, usage) == TokenPrices().cost(FLARE, HOST, usage)


@pytest.mark.parametrize("model", [FLARE, "gpt-image-2.6-flare", "gpt-image-2", "my-model"])
@pytest.mark.parametrize("more", ["-mini", "-pro", "-mini-2026-08-01", "-preview", "-2", "x"])
def test_a_name_that_begins_like_a_models_has_no_price(
    tmp_path: Path, model: str, more: str
) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.my-model]\nimage_out = 7\n")
    prices = TokenPrices(read_prices(file))
    for name in (model + more, f"openai/{model}{more}"):
        assert prices.cost(name, "", Usage(text_in=1, image_out=1)) == Cost()
        assert prices.unpriced(name, IMAGE_KINDS) == list(IMAGE_KINDS)


def test_the_most_exact_name_in_the_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models.m]\nimage_out = 1\n[models."azure/m"]\nimage_out = 2\n')
    prices, usage = TokenPrices(read_prices(file)), Usage(image_out=100)
    assert prices.cost("azure/m-2026-11-03", "", usage).micro == 200
    assert prices.cost("openai/m-2026-11-03", "", usage).micro == 100


def test_an_answer_may_leave_out_the_provider_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models."azure/m"]\nimage_out = 2\n[models."openai/m"]\nimage_out = 3\n')
    prices, usage = TokenPrices(read_prices(file)), Usage(image_out=100)
    for name, micro in (("m", 200), ("m-2026-11-03", 200), ("openai/m", 300), ("AZURE/m", 200)):
        assert prices.cost(name, "", usage).micro == micro
    assert not prices.cost("m-mini", "", usage).known
