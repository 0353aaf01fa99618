"""Options in words: the ones chosen, how to choose them, and what to say about one that cannot
be."""

from __future__ import annotations

from bot.domain.errors import OptionRefused
from bot.domain.options import (
    BACKGROUNDS,
    LONGEST_SIDE,
    MOST_CANDIDATES,
    MOST_RATIO,
    NAMED_SIZES,
    QUALITIES,
    SHORTEST_OF_LONGEST,
    STEP,
    Options,
)
from bot.views.text import COMMAND, cut, escape, one_line, repeated

SHOWN = 60
"""Of an option or its value, when it is refused."""
_TO_CORRECT = "This is what you typed, to copy and correct:"

_EXAMPLE = "a fox on the moon --ar 16:9 --quality high --n 3 --transparent"


def _or(words: tuple[str, ...]) -> str:
    coded = [f"`{word}`" for word in words]
    return f"{', '.join(coded[:-1])} or {coded[-1]}" if len(coded) > 1 else "".join(coded)


_NAMES = ", ".join(f"`{name}`" for name in NAMED_SIZES)
_PIXELS = (
    f"width×height in pixels, multiples of {STEP}, up to {LONGEST_SIDE}×{SHORTEST_OF_LONGEST} "
    f"either way round and no longer than {MOST_RATIO} to 1, such as `1280x720`"
)
_TAKES = {
    "--ar": f"{_NAMES}, or a ratio from `1:{MOST_RATIO}` to `{MOST_RATIO}:1`, such as `16:9`",
    "--size": f"{_NAMES}, `auto`, a ratio such as `16:9`, or {_PIXELS}",
    "--quality": _or(QUALITIES),
    "--background": _or(BACKGROUNDS),
    "--n": f"a number from `1` to `{MOST_CANDIDATES}`",
}

OPTIONS_HELP = (
    f"*Options* can stand anywhere in what you type: `{COMMAND} {_EXAMPLE}`\n"
    f"• `--ar` takes {_TAKES['--ar']}\n"
    f"• `--size` takes {_TAKES['--size']}\n"
    f"• `--quality` takes {_TAKES['--quality']}; a model may not have them all\n"
    "• `--transparent` or `--opaque` is the background; so is `--background auto`\n"
    f"• `--n` takes {_TAKES['--n']}: that many images to choose from"
)
_ALL = "`--ar`, `--size`, `--quality`, `--background`, `--transparent`, `--opaque` and `--n`"


def option_words(options: Options) -> str:
    """What is chosen, such as: 1792×1008 · high · 3 candidates · transparent. Empty for nothing."""
    words = [
        options.size.replace("x", "×") if options.size != "auto" else "auto size",
        options.quality if options.quality != "auto" else "auto quality",
        f"{options.count} candidate{'s' if options.count > 1 else ''}" if options.count else "",
        options.background if options.background != "auto" else "auto background",
    ]
    return " · ".join(word for word in words if word)


def option_refusal_words(refused: OptionRefused, *, plain: bool, command: bool) -> str:
    """Names the option and what it takes, and repeats all that was typed, to be copied and
    corrected. In mrkdwn, or `plain` for a form, where what was typed is still there."""
    words = f"{_what(refused)} {_allowed(refused)}"
    if plain:
        return words.replace("`", "")
    words = f"{escape(words)} Nothing was started."
    typed = f"{COMMAND} {refused.text}" if command else refused.text
    return f"{words}\n{repeated(typed, _TO_CORRECT)}" if refused.text else words


def _what(refused: OptionRefused) -> str:
    option = f"`{cut(refused.option, SHOWN)}`"
    if refused.option not in _TAKES:
        return f"There is no option {option}."
    if not refused.value:
        return f"{option} needs a value."
    value = cut(one_line(refused.value.replace("`", "'")), SHOWN)
    return f"`{refused.option} {value}` is not possible."


def _allowed(refused: OptionRefused) -> str:
    if refused.option not in _TAKES:
        return f"The options are {_ALL}; `{COMMAND} help` explains them."
    takes = _or(refused.allowed) if refused.allowed else _TAKES[refused.option]
    nearest = f" The nearest possible size is `{refused.nearest}`." if refused.nearest else ""
    return f"{refused.option} takes {takes}.{nearest}"
