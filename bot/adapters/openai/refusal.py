"""Which extra of a request a refusal is about. Servers word a refusal in many ways: by a
parameter's path, by its name in quotes or without, by the value that they do not take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from openai import APIStatusError

from bot.adapters.openai.extras import NAMINGS, Asked, Extra, names, words_for
from bot.adapters.openai.wording import without_own_words
from bot.domain.options import OPTIONS

_PATHS = {"param", "parameter", "parameters", "params", "field", "loc", "path", "instancepath"}
_WORDS = {"message", "msg", "detail", "details", "error", "errors", "title", "reason"}
_WORDS |= {"description", "inner_error", "innererror", "issues"}
_LISTS_OF_PATHS = {"keys"}
"""Where Zod names what it does not know."""
_PATH = r"\$?[a-z_][\w.\[\]]*"
_QUOTED = re.compile(rf"[\"'`“‘(\[]({_PATH}|\d+x\d+)[\"'`”’)\]]")
_AFTER_COLON = re.compile(
    rf"(?:unknown|unrecogni[sz]ed|unsupported|unexpected|invalid|extra|not allowed|not permitted)"
    rf"[\w\s()-]{{0,40}}: *[\"'`]?({_PATH})"
)
_AS_PARAMETER = re.compile(
    rf"\b(?:parameter|argument|field|property|properties|keyword)s?(?: supplied)?:? +"
    rf"[\"'`]?({_PATH})"
)
_BEFORE_COLON = re.compile(
    rf"^\W*({_PATH}): *(?:extra|input|field|value|unknown|unexpected|invalid|not|must|should)\b",
    re.MULTILINE,
)
_NOT_TAKEN = (
    r"(?:not|n't) (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|implemented|accepted"
    r"|available|enabled)\b"
    r"|(?:is |are )?unsupported\b"
)
_DOES_NOT_TAKE = (
    r"(?:un(?:known|recogni[sz]ed|expected|supported)|does(?: not|n't) (?:support|accept|take))"
)
_BREAKS_AT = re.compile(
    rf"un(?:known|recogni[sz]ed|expected|supported)|invalid|keyerror|extra |{_NOT_TAKEN}"
    rf"|{_DOES_NOT_TAKE}"
)
_PASSING = re.compile(
    r"\b(?:now|moment|temporar\w+|currently|again|later|busy|capacity|overload\w*)\b"
)
_LIST = re.compile(r"not one of|should be|must be|permitted|supported|allowed|valid|options")
_IN_TOOL = re.compile(r"\btools?[\[.][\w.\[\]]+")
_CONTAINERS = {"", "tools", "body", "extra_body", "request", "json"}
_NEEDED = {"prompt", "input", "model", "image", "images", "mask", "n"}
"""Arguments that every request needs."""
_ABOUT_INPUT = re.compile(
    r"\b(?:input|source|reference|uploaded|provided|your) (?:image|file|picture)|\bimage(?: file)? "
    r"(?:is |was )?(?:too|not|invalid|corrupt)"
)


class Blame(NamedTuple):
    """The extra that a refusal is about. `certain`: the refusal names it as a parameter or quotes
    its value, and does not merely contain an everyday word."""

    extra: Extra
    certain: bool


class ApiRefusal:
    """An error answer of the API, taken apart: the paths that it names, its code, and its text in
    lower case. `own` is what people wrote; the error may repeat it."""

    def __init__(self, error: APIStatusError, own: Iterable[str] = ()) -> None:
        found = list(_explanations(error.body))
        self.paths = [value.lower() for is_path, value in found if is_path]
        words = [value for is_path, value in found if not is_path]
        self.text = without_own_words("\n".join(words), own)
        self.code = str(error.code or "").lower()

    @property
    def vague(self) -> bool:
        """Whether it names no parameter at fault, or only the object that holds all of them. For a
        refusal that blames no extra: an option that it names is then one that a person chose."""
        options = {spec.argument for spec in OPTIONS if spec.argument}
        about_these = _ABOUT_INPUT.search(self.text) or any(
            _is_named(words_for(option), self.text) for option in options
        )
        at_fault = not about_these and all(_steps(path) <= _CONTAINERS for path in self.paths)
        return at_fault and not any(_steps(path) & (_NEEDED | options) for path in self._in_text)

    @property
    def names_what_it_rejects(self) -> bool:
        """Whether it says that something is unknown or not accepted. Other server errors do not."""
        return bool(self.paths) or _BREAKS_AT.search(f"{self.code} {self.text}") is not None

    @property
    def _quoted(self) -> list[str]:
        return _QUOTED.findall(self.text)

    @property
    def _in_text(self) -> list[str]:
        text = self.text
        named = [_AFTER_COLON, _AS_PARAMETER, _BEFORE_COLON]
        found = [path for pattern in named for path in pattern.findall(text)]
        return [*found, *self._quoted, *_IN_TOOL.findall(text)]

    def blames(self, asked: Asked) -> Blame | None:
        """The extra that the refusal is about, if it is about one."""
        asked = {extra: asked[extra] for extra in Extra if extra in asked and self._may(extra)}
        if named := _first([*self.paths, *self._in_text], asked, names):
            return Blame(named, certain=True)
        if named := _first([self.code], asked, _in_code):
            return Blame(named, certain=True)
        if named := _first(self._quoted, asked, lambda extra, value: asked[extra] == value):
            return Blame(named, certain=True)
        text = _IN_TOOL.sub(" ", self.text)
        if named := _first([text], asked, _in_words):
            return Blame(named, certain=_as_not_taken(named, text))
        if named := _first([text], asked, _lists_values):
            return Blame(named, certain=True)
        if named := _first([text], asked, lambda extra, said: _bare_value(asked[extra], said)):
            return Blame(named, certain=False)
        return None

    def _may(self, extra: Extra) -> bool:
        unless = NAMINGS[extra].unless
        return not (unless and re.search(unless, f"{self.code} {self.text}"))


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
    return _is_named(NAMINGS[extra].words, text)


def _is_named(words: str, text: str) -> bool:
    return re.search(rf"(?<![\w-])(?:{words})(?![\w-])", text) is not None


def _as_not_taken(extra: Extra, text: str) -> bool:
    """Whether the text says that the extra itself is not accepted: "background mode is not
    supported". A temporary refusal does not count. A name that is no everyday word is enough."""
    naming = NAMINGS[extra]
    if "_" in naming.parameters[0]:
        return True
    name = rf"(?<![\w-])(?:{naming.words})(?: mode| option| parameter| responses?| field)?"
    patterns = (
        rf"{name} (?:is |are |was )?(?:{_NOT_TAKEN})|{_DOES_NOT_TAKE} (?:the )?{name}(?!\w)"
        rf"|{name} (?:must|should) be one of"
    )
    return re.search(patterns, text) is not None and not _PASSING.search(text)


def _lists_values(extra: Extra, text: str) -> bool:
    """Whether the text lists the values that are accepted: "input should be 'standard' or 'hd'"."""
    values = NAMINGS[extra].values
    found = re.search(rf"[\"'`](?:{values})[\"'`]|\bhd\b", text) if values else None
    found = None if found and found[0] == "hd" and extra is not Extra.QUALITY else found
    return found is not None and _LIST.search(text) is not None


def _bare_value(value: str, text: str) -> bool:
    """Whether the text is the value alone, or says what is wrong with the value."""
    if not value or not _is_word(value, text):
        return False
    return text.strip() == value or _LIST.search(text) is not None


def _is_word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _explanations(body: Any) -> Iterator[tuple[bool, str]]:
    """The contents of the fields that explain the error, each with whether it is a path. Other
    fields are skipped: some servers repeat the whole request."""
    if isinstance(body, str):
        yield False, body
    elif isinstance(body, list):
        for part in body:
            yield from _explanations(part)
    elif isinstance(body, dict):
        for key, value in body.items():
            if str(key).lower() in _PATHS and value:
                yield True, _path(value)
            elif str(key).lower() in _LISTS_OF_PATHS and isinstance(value, list):
                yield from ((True, str(one)) for one in value)
            elif str(key).lower() in _WORDS:
                yield from _explanations(value)


def _path(value: Any) -> str:
    return ".".join(map(str, value)) if isinstance(value, list) else str(value)
