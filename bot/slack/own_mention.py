"""Takes the bot's own mention out of a message, so that good English is left.

    @bot, draw a fox           draw a fox          what addresses it goes with it
    hey @bot, draw a fox       hey, draw a fox     its comma stays where there is none before it
    can you, @bot, draw        can you, draw       of two commas one stays
    a fox, please, @bot!       a fox, please!      the end of the sentence stays
    a fox (@bot) in "@bot"     a fox in            brackets, quotes and asterisks around it go
    draw @bot's cat            draw your cat       a possessive cannot be taken out
    @bot :fox_face: @bot       :fox_face:          emoji codes are no punctuation

The text is as Slack sends it: `&`, `<` and `>` escaped.
"""

from __future__ import annotations

import re

_PAIRS = {
    **{
        "(": ")",
        "[": "]",
        "{": "}",
        "“": "”",
        "‘": "’",
        "„": "“",
        "«": "»",
        "（": "）",
        "「": "」",
    },
    **{mark: mark for mark in "\"'*_~`"},
}
_OPENING_MARKS = "¡¿"
_BRACKETS, _CLOSING_BRACKETS = "([{（「", ")]}）」"
_CLOSING = "".join(set(_PAIRS.values()))
_AROUND = _PAIRS | {"¡": "!", "¿": "?"}
_EMOJI = r":[^\s:<>]+:"
_COMMA = r",;،؛，、；："
_DASH = "\u2012-\u2015\u2212"
_END = ".!?…。！？؟"

_CLAUSE_AFTER = re.compile(
    rf"(?:[{_COMMA}]|:(?![^\s:<>]+:|[()\[\]|/\\]))+|[ \t]+[{_COMMA}:]+(?=\s|\Z)"
    rf"|[ \t]*(?:-{{1,3}}|[{_DASH}])(?=\s|\Z)"
)
_END_AFTER = re.compile(rf"[ \t]*[{_END}]+(?=[\s{re.escape(_CLOSING)}]|\Z)")
_CLAUSE_BEFORE = re.compile(
    rf"(?:(?<!&amp)(?<!&lt)(?<!&gt)[{_COMMA}]+|:|(?:(?<=\s)|\A)-{{1,3}}|[{_DASH}])\Z"
)
_EMOJI_BEFORE = re.compile(rf"{_EMOJI}\Z")
_POSSESSIVE = re.compile(r"['’](?:(?P<s>s)|ll|d|re|ve)\b", re.IGNORECASE)
_TAIL, _LONGEST_MARK = 150, 8
"""Characters before a mention that are looked at, for an emoji code and for punctuation. An emoji
code has 100 at most."""


def without_own_mention(text: str, bot_user: str) -> str:
    """The text without every mention of `bot_user`."""
    own = rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>"
    left, *others = re.split(rf"{own}(?:[\s,;:]*+{own})*", text)
    done: list[str] = []
    for right in others:
        if len(left) > 2 * _TAIL:
            done.append(left[:-_TAIL])
            left = left[-_TAIL:]
        left = _joined(left, right)
    return "".join([*done, left]).strip()


def _joined(left: str, right: str) -> str:
    """The text before a mention and the text after it, without the mention."""
    if found := _POSSESSIVE.match(right):
        return left + ("your" + right[found.end() :] if found["s"] else "you" + right)
    left, right = _unwrapped(left, right)
    before, clause, opened = _taken_apart(left)
    if opened:
        return left + _without_mark(right).lstrip(" \t")
    if not before or before[-1] in "\n•" + _END:
        after = _without_mark(right).lstrip(" \t")
        on_line = bool(before) and before[-1] != "\n"
        return before + (_gap(left, right) if on_line and after[:1] not in "\n" else "") + after
    if end := _END_AFTER.match(right):
        return before + end[0].strip() + right[end.end() :]
    mark = _CLAUSE_AFTER.match(right)
    rest = right[mark.end() :] if mark else right
    after = rest.lstrip(" \t")
    if after[:1] in "\n" + _CLOSING_BRACKETS or rest[:1] in tuple(_CLOSING):  # or at the end
        return before + (clause if mark else "") + after
    if mark and not clause:
        return before + _spaced(mark[0]) + (_gap("", rest) or " ") + after
    if clause[-1:] in tuple("–—―") and after[:1] == clause[-1]:
        return before + clause + after[1:]
    return before + clause + _gap(left, right) + after


def _unwrapped(left: str, right: str) -> tuple[str, str]:
    """Without the brackets, quotes and asterisks that hold nothing but the mention."""
    while left and right:
        opened, closed = left, right
        if left.rstrip()[-1:] in tuple(_BRACKETS):
            opened, closed = left.rstrip(), right.lstrip()
        if not closed or _AROUND.get(opened[-1]) != closed[0] or opened[-2:-1].isalnum():
            break
        left, right = opened[:-1], closed[1:]
    return left, right


def _taken_apart(left: str) -> tuple[str, str, bool]:
    """The text before a mention without its last clause mark; that mark; and whether a bracket, a
    quote or a Spanish sentence opens right there."""
    bare = left.rstrip(" \t")
    if bare[-1:] in tuple(_BRACKETS + _OPENING_MARKS) or (left == bare and _opens(left)):
        return bare, "", True
    is_emoji = bare.endswith(":") and _EMOJI_BEFORE.search(bare[-_TAIL:])
    found = None if is_emoji else _CLAUSE_BEFORE.search(bare[-_LONGEST_MARK:])
    if found is None:
        return bare, "", False
    without = bare[: len(bare) - len(found[0])]
    before = without.rstrip(" \t")
    return before, without[len(before) :] + found[0], False


def _opens(left: str) -> bool:
    """Whether the last character is a quote or an asterisk that opens."""
    return left[-1:] in tuple(_PAIRS) and not left.rstrip(left[-1])[-1:].strip()


def _without_mark(right: str) -> str:
    mark = _CLAUSE_AFTER.match(right) or _END_AFTER.match(right)
    return right[mark.end() :] if mark else right


def _spaced(mark: str) -> str:
    """A dash keeps the blank before it, a comma has none."""
    bare = mark.strip()
    return f" {bare}" if bare[0] == "-" or "\u2012" <= bare[0] <= "\u2212" else bare


def _gap(left: str, right: str) -> str:
    """What parts the words on both sides of a mention: nothing where there was nothing, as in
    scripts without blanks."""
    if left[-1:].isspace() or right[:1].isspace():
        return " "
    mark = _CLAUSE_AFTER.match(right)
    if mark and right[mark.end() : mark.end() + 1].isspace():
        return " "
    apart = left[-1:].isascii() and left[-1:].isalnum() and right[:1].isascii()
    return " " if apart and right[:1].isalnum() else ""
