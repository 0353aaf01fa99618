"""Text made fit for Block Kit, and the opaque values of buttons and forms."""

from __future__ import annotations

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.refusals import Reason, Refusal
from bot.views.blocks import Target, cut, escape, target_of


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


@pytest.mark.parametrize(
    "target",
    [
        Target("T1.U1.abc123", ImageRef(1)),
        Target("T1.U1.abc123", ImageRef(1, 4)),
        Target("T0SANDBOX1.U0ALICE000.0f", ImageRef(0)),
        Target("T.W.9", ImageRef(9999)),
    ],
)
def test_a_value_comes_back_as_it_was(target: Target) -> None:
    assert target_of(str(target)) == target


@pytest.mark.parametrize(
    "invented",
    [
        "",
        "1",
        "approve",
        "T1.U1.abc123",
        "T1.U1.abc123#",
        "T1.U1.abc123#-1",
        "T1.U1.abc123#12345",
        "T1.U1.abc123#1.5",
        "T1.U1.abc123#1.0",
        "T1.U1.abc123#1.",
        "T1.U1.abc123#1 ",
        "T1.U1.abc123#1\n",
        "T1.U1.abc123#١",
        " T1.U1.abc123#1",
        "T1.U1.ABC#1",
        "T1.U1.abc:generated_image#1",
        "T1.U1.{x}#1",
        "T1.U1#1",
        "T1..abc#1",
        "T1.U1.a.b#1",
        "*.*.*#1",
        "x" * 2000,
    ],
)
def test_a_value_that_is_not_ours_is_refused(invented: str) -> None:
    with pytest.raises(Refusal, match=Reason.EXPIRED):
        target_of(invented)
