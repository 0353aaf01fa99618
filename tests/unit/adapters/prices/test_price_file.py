"""The operator's file of prices: what it may hold, and what is said of one that is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.prices import OwnPrices, PricesFileError, read_prices


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


def test_a_price_by_the_token_is_told_to_be_too_low(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[models.m]\nimage_out = 0.00003\ntext_in = 0\nimage_in = 0.5\n")
    read_prices(file)
    (told,) = caplog.messages
    assert "m: image_out is for a million tokens" in told


def test_one_model_has_one_table(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models.m]\nimage_out = 1\n[models."M "]\nimage_out = 2\n')
    with pytest.raises(PricesFileError, match=r"m has two tables"):
        read_prices(file)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[default]\nimage_out = 1 # é".encode("latin-1"), "it must be text in UTF-8"),
        ("[default]\nimage_out = 1".encode("utf-16"), "it must be text in UTF-8"),
        (b"x = " + b"[" * 100_000 + b"]" * 100_000, "it is nested too deep"),
        (b"[default]\nimage_out = " + b"{a=" * 5_000 + b"1" + b"}" * 5_000, "nested too deep"),
        (b"[default]\nimage_out = " + b"9" * 5_000, "4300 digits"),
        (b"[default]\nimage_out = 0x" + b"f" * 5_000, "image_out must be dollars"),
        (b"[default]\nimage_out = inf", "image_out must be dollars"),
        (b"[default]\nimage_out = -inf", "image_out must be dollars"),
        (b"[default]\nimage_out = 2026-01-01", "image_out must be dollars"),
        (b"[default]\nimage_out = [1]", "image_out must be dollars"),
        (b"[default]\nimage_out = 1000000", "image_out must be dollars"),
        (b"[[default]]\nimage_out = 1", "default needs prices"),
        (b"[[models]]\nimage_out = 1", r"\[models.NAME\] tables"),
        (b"[models]\nm = 3", "m needs prices"),
        (b'[models."a\\nb"]\nx = 1', r"a\?b: x is not known"),
        (b'[default]\n"a\\nb" = 1', r"a\?b is not known"),
        (b'[default]\n"' + b"k" * 10_000 + b'" = 1', "k is not known"),
        (b"\0", "Invalid statement"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_bytes(content)
    with pytest.raises(PricesFileError, match=why) as caught:
        read_prices(file)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(file))


def test_a_folder_and_a_file_that_may_not_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PricesFileError, match=f"{tmp_path}: Is a directory$"):
        read_prices(tmp_path)
    with pytest.raises(PricesFileError, match=r"prices\.toml: No such file or directory$"):
        read_prices(tmp_path / "prices.toml")

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(PricesFileError, match=r"prices\.toml: Permission denied$"):
        read_prices(tmp_path / "prices.toml")
