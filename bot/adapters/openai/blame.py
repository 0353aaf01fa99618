"""Which of the extras in a request a refusal is about. Servers word the same thing in many ways:
by a parameter's path, by its name in quotes or without, by the value that they do not take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from openai import APIStatusError

from bot.adapters.openai.extras import NAMINGS, Asked, Extra, names

_PATHS = {"param", "parameter", "parameters", "params", "field", "loc", "path", "instancepath"}
_PATHS |= {"keys"}
_WORDS = {"message", "msg", "detail", "details", "error", "errors", "title", "reason", "issues"}
_WORDS |= {"description", "inner_error", "innererror"}
_PATH = r"\$?[a-z_][\w.\[\]]*"
_QUOTED = re.compile(rf"[\"'`“‘(\[]({_PATH}|\d+x\d+)[\"'`”’)\]]")
_AFTER_COLON = re.compile(
    rf"(?:unknown|unrecogni[sz]ed|unsupported|unexpected|invalid|extra|not allowed|not permitted)"
    rf"[\w\s()-]{{0,40}}: *[\"'`]?({_PATH})"
)
_NOT_TAKEN = re.compile(
    r"un(?:known|recogni[sz]ed|expected|supported)|extra (?:inputs|fields)|invalid"
    r"|n[o']t (?:be )?(?:supported|permitted|allowed|used|available|recogni[sz]ed|known|valid)"
    r"|n[o']t (?:implemented|enabled)|does(?: not|n't) (?:support|accept|allow|take)"
    r"|can(?:not| not|'t)|must|should|requires?|only"
)
_NOT_KNOWN = re.compile(
    r"un(?:known|recogni[sz]ed|expected|supported)|additional|extra"
    r"|(?:n[o']t|no) (?:be )?(?:supported?|permitted|allowed|enabled|implemented|available)"
    r"|does(?: not|n't) (?:support|accept|allow|take)"
)
"""What servers say that do not know a parameter at all, whatever its value."""
_EVERYDAY = frozenset(
    {Extra.INSTRUCTIONS, Extra.BACKGROUND, Extra.QUALITY, Extra.SIZE, Extra.ACTION, Extra.STREAM}
)
"""Words that stand in a sentence, or in a prompt that is quoted, without meaning a parameter."""
_IN_TOOL = re.compile(r"\btools?[\[.][\w.\[\]]+")
_CONTAINERS = {"", "tools", "body", "extra_body", "request", "json"}
_NEEDED = {"prompt", "input", "model", "image", "images", "mask", "n"}
"""What no request can be without."""


class Blame(NamedTuple):
    """`certain`: the refusal says so, rather than just having its name in it."""

    extra: Extra
    certain: bool


class Refused:
    """What a refusal says: the paths that it names, its code, and its words in lower case."""

    def __init__(self, error: APIStatusError) -> None:
        found = list(_said(error.body))
        self.paths = [value.lower() for is_path, value in found if is_path]
        words = [value for is_path, value in found if not is_path]
        self.text = "\n".join(words).lower()
        self.code = str(error.code or "").lower()

    @property
    def vague(self) -> bool:
        """It names no parameter at fault, or only what holds all of them."""
        at_fault = all(_steps(path) <= _CONTAINERS for path in self.paths)
        return at_fault and not any(_steps(path) & _NEEDED for path in self._in_text)

    @property
    def _quoted(self) -> list[str]:
        return _QUOTED.findall(self.text)

    @property
    def _in_text(self) -> list[str]:
        return [*_AFTER_COLON.findall(self.text), *self._quoted, *_IN_TOOL.findall(self.text)]

    def blames(self, asked: Asked) -> Blame | None:
        """The extra that it is about, if it is about one."""
        if named := self.names(asked):
            return Blame(named, certain=True)
        text = _IN_TOOL.sub(" ", self.text)
        if named := _first([text], self._possible(asked), _in_words):
            telling = _NOT_KNOWN if named in _EVERYDAY else _NOT_TAKEN
            certain = telling.search(text) is not None
            return Blame(named, certain)
        return None

    def names(self, asked: Asked) -> Extra | None:
        """The extra that it names as a parameter, or by its value."""
        asked = self._possible(asked)
        return (
            _first([*self.paths, *self._in_text], asked, names)
            or _first([self.code], asked, _in_code)
            or _first(self._quoted, asked, lambda extra, value: asked[extra] == value)
        )

    def _possible(self, asked: Asked) -> Asked:
        return {extra: asked[extra] for extra in Extra if extra in asked and self._may(extra)}

    def _may(self, extra: Extra) -> bool:
        """Too few partial images are first given another number, unless none is known."""
        told = re.search(NAMINGS[extra].only, self.text) is not None
        return told or not _NOT_KNOWN.search(self.text)


def _steps(path: str) -> set[str]:
    return set(re.split(r"[\W\d]+", path))


def _first(
    places: Iterable[str], asked: Asked, leads_to: Callable[[Extra, str], bool]
) -> Extra | None:
    return next((extra for place in places for extra in asked if leads_to(extra, place)), None)


def _in_code(extra: Extra, code: str) -> bool:
    found = (rf"(?<![a-z]){name}(?![a-z])" for name in NAMINGS[extra].parameters)
    return any(re.search(pattern, code) for pattern in found)


def _in_words(extra: Extra, text: str) -> bool:
    return re.search(rf"(?<![\w-])(?:{NAMINGS[extra].words})(?![\w-])", text) is not None


def _said(body: Any) -> Iterator[tuple[bool, str]]:
    """What the fields that explain hold, and whether it is a path. Others are passed over: some
    servers repeat the whole request."""
    if isinstance(body, str):
        yield False, body
    elif isinstance(body, list):
        for part in body:
            yield from _said(part)
    elif isinstance(body, dict):
        for key, value in body.items():
            if str(key).lower() in _PATHS and value:
                yield True, _path(value)
            elif str(key).lower() in _WORDS:
                yield from _said(value)


def _path(value: Any) -> str:
    return ".".join(map(str, value)) if isinstance(value, list) else str(value)
