"""Prices: the package's, ours, the operator's."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.prices import OwnPrices, PricesFileError, TokenPrices, read_prices
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
    file.write_text(f'[models."{FLARE}"]\nimage_out = 1.5\n[default]\nimage_out = 40\n')
    own = read_prices(file)
    prices = TokenPrices(own)
    usage = Usage(image_out=100, image_in=7)
    assert prices.cost(FLARE, "", usage) == Cost(150, own.version, known=True)
    assert prices.cost("my-model", "", usage) == Cost(4000, own.version, known=True)
    assert prices.cost("gpt-image-2.6-flare", "", usage).micro == 3056


def test_what_is_cached_costs_as_much_where_the_file_does_not_say(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[default]\ntext_in = 2\nimage_in = 3\ncached_image_in = 1\n")
    default = read_prices(file).default
    assert default is not None
    assert default["cached_text_in"] == Decimal(2)
    assert default["cached_image_in"] == Decimal(1)


@pytest.mark.parametrize(
    "text",
    [
        "image_out = 3\n",
        "[models.m]\n",
        "[models.m]\nimage = 3\n",
        "[models.m]\nimage_out = 'a lot'\n",
        "[models.m]\nimage_out = -1\n",
        "[models.m]\nimage_out = nan\n",
        "[models.m]\nimage_out = true\n",
        "models = 3\n",
        "default = 3\n",
        "[models.m\n",
    ],
)
def test_a_file_that_is_wrong_ends_the_start_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(PricesFileError, match=r"prices\.toml"):
        read_prices(file)


def test_a_name_with_a_dot_is_told_to_need_quotes(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.gpt-image-2.6-flare]\nimage_out = 30\n")
    with pytest.raises(PricesFileError, match=r'quotes, as \[models\."gpt-image-2\.6-flare"\]'):
        read_prices(file)


def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[default]\nimage_out = 1\n", "utf-8-sig")
    assert read_prices(file).default == {"image_out": Decimal(1)}


def test_a_file_that_is_not_there_ends_the_start_in_words(tmp_path: Path) -> None:
    with pytest.raises(PricesFileError, match=r"PRICES_FILE: .*prices\.toml"):
        read_prices(tmp_path / "prices.toml")
    with pytest.raises(PricesFileError, match="PRICES_FILE"):
        read_prices(tmp_path)
    assert read_prices(None) == OwnPrices()


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


def test_a_price_by_the_token_is_told_to_be_too_low(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.m]\nimage_out = 0.00003\ntext_in = 0\nimage_in = 0.5\n")
    read_prices(file)
    (told,) = caplog.messages
    assert "m: image_out is for a million tokens" in told


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
    assert not prices.knows(model + more)
    assert not prices.knows(f"openai/{model}{more}")


def test_the_most_exact_name_in_the_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models.m]\nimage_out = 1\n[models."azure/m"]\nimage_out = 2\n')
    prices, usage = TokenPrices(read_prices(file)), Usage(image_out=100)
    assert prices.cost("azure/m-2026-11-03", "", usage).micro == 200
    assert prices.cost("openai/m-2026-11-03", "", usage).micro == 100


def test_one_model_has_one_table(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models.m]\nimage_out = 1\n[models."M "]\nimage_out = 2\n')
    with pytest.raises(PricesFileError, match=r"m has two tables"):
        read_prices(file)
