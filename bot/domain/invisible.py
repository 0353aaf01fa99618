"""Invisible characters, which may hide words in a text or garble how it is shown.

    dropped   bidi controls, tag characters, zero-width spaces and joiners of words, byte order
              marks, soft hyphens, annotation marks, fillers, noncharacters; in `clean_text` also
              control characters and halves of characters
    kept      what emoji and scripts need: a variation selector and a ZWJ or ZWNJ behind it,
              keycaps, and the tags of the three flags that are made of them
    a newline every other line break, in `clean_text`

Tag characters spell ASCII text that models read and people don't see. Only in the flags of England,
Scotland and Wales do they stay, after their black flag and exactly as those are spelled. Runs of
joiners and variation selectors can spell text as well; no emoji has more than one selector and one
joiner in a row.
"""

from __future__ import annotations

import re
import unicodedata

_FLAGS = ("gbeng", "gbsct", "gbwls")
_TAGS_OF_FLAGS = "|".join("".join(chr(0xE0000 + ord(c)) for c in flag) for flag in _FLAGS)
_FLAG = f"\U0001f3f4(?:{_TAGS_OF_FLAGS})\U000e007f"

_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_DROPPED = (
    "\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c"  # bidi controls
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags, and what is reserved beside them
    "\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff"  # zero width
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # fillers
    "\ufff0-\ufffb\ufdd0-\ufdef\ufffe\uffff"  # annotations, noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # controls of shorthand and music
)
_FORMING = _JOINERS + _SELECTORS
_INVISIBLE = re.compile(
    f"(?P<flag>{_FLAG})|[{_DROPPED}]"
    f"|(?=[{_FORMING}])(?P<first>[{_SELECTORS}]?[{_JOINERS}]?)[{_FORMING}]*"
)
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, except a newline and a tab, and halves of characters."""
_BLANK = {"Cc", "Cf", "Zl", "Zp", "Zs"}
_BLANK_SYMBOLS = {"\u2800"}
"""Braille's pattern without a dot."""


def drop_invisible(text: str) -> str:
    """The text without invisible characters. Line breaks and other control characters stay."""
    if text.isascii():
        return text
    dropped = _INVISIBLE.sub(_kept, text)
    return _INVISIBLE.sub(_kept, dropped)  # what stood apart is side by side now


def _kept(found: re.Match[str]) -> str:
    return found["flag"] or found["first"] or ""


def clean_text(text: str) -> str:
    """The visible text, with newlines for all line breaks, without control characters and halves of
    characters."""
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", drop_invisible(text)))


def is_blank(text: str) -> bool:
    """Whether there is nothing to see."""
    return all(
        unicodedata.category(c) in _BLANK or c in _BLANK_SYMBOLS or _INVISIBLE.fullmatch(c)
        for c in text
    )
