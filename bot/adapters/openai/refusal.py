"""Which extra of a request a refusal is about. Servers word a refusal in many ways: by a
parameter's path, by its name in quotes or without, by the value that they do not take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from openai import APIStatusError

from bot.adapters.openai.error_body import (
    LONGEST_TEXT,
    Part,
    explanations,
    snake_case,
    whole_body,
)
from bot.adapters.openai.extras import REFUSAL_PATTERNS, Asked, OptionalParameter, names, words_for
from bot.adapters.openai.wording import without_own_words
from bot.domain.option_table import OPTIONS
from bot.domain.options import Value

_PATH = r"(?<![\w.])(?:\$\.?|/)?[a-z_][\w./\[\]]{0,80}"
_OPEN, _CLOSE = r"[\"'`“‘«「『(\[] ?", r" ?[\"'`”’»」』)\]]"
_OBJECT = r"(?:parameter|param|argument|arg|field|property|properties|keyword|key|option|name)s?"
_WRONG = (
    r"(?:un(?:known|recogni[sz]ed|expected|supported)|invalid|illegal|disallowed|extraneous|extra"
    r"|unpermitted|not (?:allowed|permitted|supported|valid|known|recogni[sz]ed|accepted"
    r"|implemented))"
)
_NAMES_IT = [
    re.compile(pattern, re.ASCII | re.MULTILINE)
    for pattern in (
        rf"{_OPEN}({_PATH}|\d+x\d+)(?:=[\w.]+)?{_CLOSE}",
        rf"{_WRONG}[\w\s()-]{{0,40}}[:=] *[\"'`:]?({_PATH})",
        rf"\b{_OBJECT}(?: {_OBJECT})?(?:\(s\)| supplied)?[:=]? *[\"'`]?({_PATH})",
        rf"\b(?:{_WRONG}|specify|remove|omit|setting)"
        rf"(?: (?:values?|types?|{_OBJECT}|the|for|of|in))* [\"'`\[]?"
        rf"(?!(?:prompt|input|image)s?\b)({_PATH})",
        rf"^\W{{0,10}}({_PATH}): *(?:[\"'`][^\"'`\n]{{0,60}}[\"'`] )?"
        r"(?:extra|input|field|value|unknown|unexpected|invalid|not|must|should)\b",
        rf"^[ \t]{{0,20}}(?:\w+ -> )*({_PATH})\n[ \t]+"
        r"(?:extra|input|field|value|string|assertion)\b",
        rf"({_PATH})=[\w.-]+ (?:is |was )?(?:{_WRONG}|not a valid)",
        rf"\bfor ({_PATH}),? (?:but )?(?:got|received)\b",
        rf"({_PATH}) (?:is|was|has been) "
        rf"(?:{_WRONG}|not a valid|an invalid|disabled|deprecated|removed)",
        rf"({_PATH}) (?:cannot|can't|can not|must not|may not|should not) be\b",
        rf"\b(?:again|request|call|parameters?) without (?:the )?[\"'`]?({_PATH})",
    )
]
"""How a text names a parameter."""
_WHAT_IS_TAKEN = re.compile(
    r"(?<!not )(?<!un)(?<!n't )(?<!not be )\b(?:allowed|supported|valid|known|permitted|accepted"
    r"|available|expected|possible)(?: \w+){0,3}(?: are| is)?: ?.*|expected one of .*"
)
"""The part of a text that lists what a server does take."""
_NOT_TAKEN = (
    r"(?:not|n't) (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|implemented|accepted"
    r"|available|enabled)\b"
    r"|(?:is |are )?unsupported\b"
)
_DOES_NOT_TAKE = (
    r"(?:un(?:known|recogni[sz]ed|expected|supported)|does(?: not|n't) (?:support|accept|take))"
)
_BREAKS_AT = re.compile(
    rf"{_WRONG}|keyerror|not a valid|must (?:not )?be|should (?:not )?be|can(?:no|')t be|disabled"
    rf"|deprecated|{_NOT_TAKEN}|{_DOES_NOT_TAKE}|multiple values for|has no field|could not convert"
    r"|no (?:such )?(?:keyword |named )?(?:argument|parameter|field|option)\b"
)
_PASSING = re.compile(
    r"\b(?:now|moment|temporar\w+|currently|again|later|busy|capacity|overload\w*)\b"
)
_LIST = re.compile(r"not one of|should be|must be|permitted|supported|allowed|valid|options")
_IN_TOOL = re.compile(r"\btools?[\[.][\w.\[\]]+")
_NEEDED = {"prompt", "input", "model", "image", "images", "mask", "n"}
"""Arguments that every request needs."""
_ROUTE = re.compile(r"^(?:https?:/)?/.*(?:generations|edits|responses)$")
_ABOUT_INPUT = re.compile(
    r"\b(?:input|source|reference|uploaded|provided|your) (?:image|file|picture)|\bimage(?: file)? "
    r"(?:is |was )?(?:too|not|invalid|corrupt)"
)


class Blame(NamedTuple):
    """The extra that a refusal is about. `certain`: the refusal names it as a parameter or quotes
    its value, and does not merely contain an everyday word."""

    extra: OptionalParameter
    certain: bool


class ApiRefusal:
    """An error of the API, taken apart: the paths that it names, its codes in snake case, and its
    text in lower case. `body` is JSON or a text; `own` is what people wrote, which it may
    repeat."""

    def __init__(self, body: object, own: Iterable[str] = ()) -> None:
        self.body = body
        found = list(explanations(body))
        paths = [value.lower() for part, value in found if part is Part.PATH]
        self.paths = [path for path in paths if not _ROUTE.search(path)]
        self.codes = _codes(body, found)
        words = "\n".join(value for part, value in found if part is Part.WORDS)
        self.text = without_own_words(words[:LONGEST_TEXT], own)

    @classmethod
    def of(cls, error: APIStatusError, own: Iterable[str] = ()) -> ApiRefusal:
        return cls(whole_body(error), own)

    @property
    def is_json(self) -> bool:
        return isinstance(self.body, dict | list)

    @property
    def names_no_parameter(self) -> bool:
        """Whether it names nothing that every request needs. For a refusal that blames no extra: an
        option that it names is then one that a person chose."""
        options = {spec.argument for spec in OPTIONS if spec.argument}
        about_these = _ABOUT_INPUT.search(self.text) or any(
            _is_named(words_for(option), self.text) for option in options
        )
        named = (_steps(path) & (_NEEDED | options) for path in [*self.paths, *self._in_text])
        return not about_these and not any(named)

    @property
    def names_what_it_rejects(self) -> bool:
        """Whether it says that something is unknown or not accepted. Other server errors do not."""
        return bool(self.paths) or _BREAKS_AT.search(self._all) is not None

    @property
    def _in_text(self) -> list[str]:
        """The paths that the text names, in their order."""
        text = _WHAT_IS_TAKEN.sub(" ", self.text)
        found = [match for pattern in _NAMES_IT for match in pattern.finditer(text)]
        found.sort(key=lambda match: match.start(1))
        return [*(match[1] for match in found), *_IN_TOOL.findall(text)]

    def refused_parameter(self, asked: Asked) -> Blame | None:
        """The extra that the refusal is about, if it is about one."""
        asked = {
            extra: asked[extra]
            for extra in OptionalParameter
            if extra in asked and self._may(extra)
        }
        if named := _first([*self.paths, *self._in_text], asked, names):
            return Blame(named, certain=True)
        if named := _first(self.codes, asked, _in_code):
            return Blame(named, certain=True)
        if named := _first(self._in_text, asked, lambda extra, value: asked[extra] == value):
            return Blame(named, certain=True)
        text = _IN_TOOL.sub(" ", self.text)
        if named := _first([text], asked, _in_words):
            return Blame(named, certain=_as_not_taken(named, text))
        if named := _first([text], asked, _lists_values):
            return Blame(named, certain=True)
        if named := _first([text], asked, lambda extra, said: _bare_value(asked[extra], said)):
            return Blame(named, certain=False)
        return None

    def options_named(self, chosen: Mapping[str, Value]) -> tuple[str, ...]:
        """The options that it is about, of those that a person chose, each as a status line tells
        it."""
        specs = [spec for spec in OPTIONS if spec.argument in chosen]
        places = [*self.paths, *self._in_text]
        named = [s for s in specs if any(s.argument in _steps(place) for place in places)]
        named = named or [s for s in specs if any(s.argument in code for code in self.codes)]
        named = named or [s for s in specs if _is_named(words_for(s.argument), self.text)]
        named = named or [s for s in specs if _is_word(str(chosen[s.argument]), self.text)]
        return tuple(f"{s.label.lower()} {s.words(chosen[s.argument])}" for s in named)

    def _may(self, extra: OptionalParameter) -> bool:
        refusal_pattern = REFUSAL_PATTERNS[extra]
        ruled_out = refusal_pattern.unless and re.search(refusal_pattern.unless, self._all)
        return not ruled_out and re.search(refusal_pattern.only, self._all) is not None

    @property
    def _all(self) -> str:
        return " ".join([*self.codes, self.text])


def _codes(body: object, found: Iterable[tuple[Part, str]]) -> list[str]:
    """The code of the error itself comes first: its type says less."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    own = inner.get("code") if isinstance(inner, dict) else None
    others = [value for part, value in found if part is Part.CODE]
    return list(dict.fromkeys(snake_case(str(code)) for code in [own, *others] if code))


def _steps(path: str) -> set[str]:
    return set(re.split(r"[\W\d]+", path))


def _first(
    places: Iterable[str], asked: Asked, leads_to: Callable[[OptionalParameter, str], bool]
) -> OptionalParameter | None:
    return next((extra for place in places for extra in asked if leads_to(extra, place)), None)


def _in_code(extra: OptionalParameter, code: str) -> bool:
    found = (rf"(?<![a-z]){name}(?![a-z])" for name in REFUSAL_PATTERNS[extra].parameters)
    return any(re.search(pattern, code) for pattern in found)


def _in_words(extra: OptionalParameter, text: str) -> bool:
    return _is_named(REFUSAL_PATTERNS[extra].words, text)


def _is_named(words: str, text: str) -> bool:
    return re.search(rf"(?<![\w-])(?:{words})(?![\w-])", text, re.ASCII) is not None


def _as_not_taken(extra: OptionalParameter, text: str) -> bool:
    """Whether the text says that the extra itself is not accepted: "background mode is not
    supported". A temporary refusal does not count. A name that is no everyday word is enough."""
    refusal_pattern = REFUSAL_PATTERNS[extra]
    if "_" in refusal_pattern.parameters[0]:
        return True
    name = rf"(?<![\w-])(?:{refusal_pattern.words})(?: mode| option| parameter| responses?| field)?"
    patterns = (
        rf"{name} (?:is |are |was )?(?:{_NOT_TAKEN})|{_DOES_NOT_TAKE} (?:the )?{name}(?!\w)"
        rf"|{name} (?:must|should|has to|needs to|can only) be\b"
    )
    return re.search(patterns, text) is not None and not _PASSING.search(text)


def _lists_values(extra: OptionalParameter, text: str) -> bool:
    """Whether the text lists the values that are accepted: "input should be 'standard' or 'hd'"."""
    values = REFUSAL_PATTERNS[extra].values
    found = re.search(rf"[\"'`](?:{values})[\"'`]|\bhd\b", text) if values else None
    found = None if found and found[0] == "hd" and extra is not OptionalParameter.QUALITY else found
    return found is not None and _LIST.search(text) is not None


def _bare_value(value: str, text: str) -> bool:
    """Whether the text is the value alone, or says what is wrong with the value."""
    if not value or not _is_word(value, text):
        return False
    return text.strip() == value or _LIST.search(text) is not None


def _is_word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None
