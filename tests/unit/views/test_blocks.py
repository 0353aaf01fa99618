"""Text made fit for Block Kit."""

from __future__ import annotations

import pytest

from bot.views.blocks import cut, escape


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", ["x" * 10, "🚀" * 5, "", "x🚀" * 3 + "x"])
def test_what_fits_is_left_as_it_is(text: str) -> None:
    assert cut(text, 10) == text


@pytest.mark.parametrize("text", ["x" * 11, "🚀" * 6, "x" + "🚀" * 5, "é" * 99])
def test_what_does_not_fit_is_cut_between_characters(text: str) -> None:
    shown = cut(text, 10)
    assert units(shown) <= 10
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])
    shown.encode("utf-8")  # no half of a surrogate pair


def test_escapes_the_three_characters_that_slack_reads_and_no_other() -> None:
    assert escape('<!channel> & "it\'s" *bold*') == '&lt;!channel&gt; &amp; "it\'s" *bold*'
