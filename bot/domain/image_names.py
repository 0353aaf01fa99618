"""Which image a change is about: `make number 2 blue`, `#2 with a hat`, `the second one at night`.

A name is clear where a number stands beside a word for an image. A number alone may be a count
(`make 2 cats`), so it names an image only at the beginning, with a stop or a linking word behind
it. Where no image is named clearly, or several are, the person is asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.session import Session

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
_ORDINALS = {
    **{"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7},
    **{"eighth": 8, "ninth": 9, "tenth": 10, "last": -1},
}
LOOKED_AT = 2_000
"""Characters of a change that are searched for the names of images."""

_GAP, _SPACE = r"\s{0,3}", r"\s{1,3}"
_NUMBER = rf"(?:\d{{1,2}}|one(?!{_SPACE}of\b)|two|three|four)\b"
_ORDINAL = (
    rf"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|1st|2nd|3rd"
    rf"|(?:[4-9]|10)th|last(?!{_SPACE}but{_SPACE}(?:one|not)))\b"
)
_NOUN = r"(?:image|img|picture|pic|photo|option|version|variant|variation|candidate|result)"
_SIGN = rf"(?:no\.?{_GAP}|number{_GAP}|nr\.?{_GAP}|\#{_GAP})"
_AND = rf"and(?!{_SPACE}(?:{_NUMBER}|(?:the{_SPACE})?{_ORDINAL}))"
_LINK = rf"(?:but|with|without|{_AND}|in|at|as|on|is|should|please|looks|needs)\b"
_STOP = rf"(?={_GAP}(?:[,.;:!?)]|$)|{_SPACE}{_LINK})"
_LIST = rf"{_NUMBER}(?:{_GAP}(?:,|and|&|or|\+){_GAP}(?:{_NOUN}{_GAP})?{_SIGN}?{_NUMBER}){{0,5}}"
_ORDINALS_LISTED = rf"{_ORDINAL}(?:{_GAP}(?:,|and|&|or){_GAP}(?:the{_SPACE})?{_ORDINAL}){{0,5}}"
_ON_SOMETHING = rf"{_SPACE}(?:on|onto|above|below){_SPACE}(?:an?|the|his|her|its|their|it|this)\b"
_QUOTED = re.compile(r"\"[^\"]{1,200}\"|“[^”]{1,200}”|„[^“”]{1,200}[“”]|«[^»]{1,200}»")
_NAMES = re.compile(
    rf"(?<![\w#-])(?:"
    rf"attempt{_SPACE}(?P<a1>\d{{1,4}})\W{{0,2}}{_GAP}(?:{_NOUN}|number|\#){_GAP}(?P<n1>{_NUMBER})"
    rf"|(?:the{_SPACE})?{_NOUN}{_GAP}(?:s{_SPACE})?{_SIGN}?(?P<n2>{_LIST})"
    rf"|(?<!the\s)(?:number|nr\.?|no\.|\#){_GAP}(?P<n3>{_LIST})"
    rf"(?!{_GAP}(?:images|pictures|times)\b)(?!{_ON_SOMETHING})"
    rf"|(?:the{_SPACE})?(?P<o1>{_ORDINALS_LISTED}){_SPACE}(?:one|{_NOUN})s?\b"
    rf"|the{_SPACE}(?P<o2>{_ORDINAL}){_STOP}"
    rf")(?:{_GAP}(?:of|from|in){_SPACE}attempt{_SPACE}(?P<a2>\d{{1,4}})\b)?",
    re.IGNORECASE,
)
_AT_THE_BEGINNING = re.compile(
    rf"{_GAP}(?:(?P<n4>{_LIST})(?:{_GAP}[,:;)\u2013-]|\.(?!\d)|(?={_SPACE}{_LINK}))"
    rf"|(?P<o3>{_ORDINALS_LISTED})(?:{_GAP}:|(?={_SPACE}{_LINK})))",
    re.IGNORECASE,
)
_ATTEMPT_ALONE = re.compile(rf"(?<![\w#-])attempt{_SPACE}(?P<a3>\d{{1,4}})\b", re.IGNORECASE)
_PART = re.compile(rf"{_NUMBER}|{_ORDINAL}", re.IGNORECASE)
_LEFT_BEFORE = re.compile(r"^[\s,.:;)\u2013-]*(?:(?:but|and)\b)?[\s,]*", re.IGNORECASE)


class Change(NamedTuple):
    """A change without the names of images in it. `images` are those that are named; none where it
    is not clear which one is meant. `unknown` is a number that no image of the draft has."""

    text: str
    images: tuple[ImageRef, ...] = ()
    unknown: bool = False


def read_change(text: str, session: Session, attempt: Attempt) -> Change:
    """The change, and the images of the session that it names; `attempt` is the one that is meant
    where none is named. Of an attempt with one image, a number alone is no name: it may be about
    what the image shows."""
    several = len(attempt.candidates) > 1
    read = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text[:LOOKED_AT])
    found = _NAMES.search(read) or (_AT_THE_BEGINNING.match(read) if several else None)
    if found is None:
        return _of_attempt(text, session)
    groups: dict[str, str | None] = found.groupdict()
    named = int(groups.get("a1") or groups.get("a2") or 0)
    if not (several or named):
        numbered = groups.get("n2")  # as in `version 2`: another attempt may be meant
        return Change(text, unknown=bool(numbered) and numbered != "1")
    if named:
        if not 1 <= named <= len(session.attempts):
            return Change(text, unknown=True)
        attempt = session.attempt(named)
    numbers = _numbers(groups, attempt)
    images = tuple(ImageRef(attempt.number, number) for number in dict.fromkeys(numbers))
    if not all(session.shows(image) or not attempt.has_draft for image in images):
        return Change(text, unknown=True)
    if _NAMES.search(read, found.end()):  # another image is named, perhaps to compare with
        return Change(text)
    if any(not 1 <= image.candidate <= len(attempt.candidates) for image in images):
        return Change(text, unknown=True)
    return Change(_without(text, found), images) if len(images) == 1 else Change(text, images)


def _of_attempt(text: str, session: Session) -> Change:
    """A text that names an attempt alone, as `attempt 2 but at night`."""
    found = _ATTEMPT_ALONE.search(text, 0, LOOKED_AT)
    if found is None:
        return Change(text)
    number = int(found["a3"])
    if not 1 <= number <= len(session.attempts) or not session.attempt(number).images:
        return Change(text, unknown=True)
    images = tuple(ImageRef(number, c.number) for c in session.attempt(number).images)
    return Change(_without(text, found), images) if len(images) == 1 else Change(text, images)


def _numbers(groups: dict[str, str | None], attempt: Attempt) -> list[int]:
    named = next(
        filter(None, (groups.get(key) for key in ("n1", "n2", "n3", "n4", "o1", "o2", "o3")))
    )
    return [_number(part, attempt) for part in _PART.findall(named)]


def _number(word: str, attempt: Attempt) -> int:
    word = word.lower()
    if word == "last":
        shown = attempt.images if attempt.has_draft else attempt.candidates
        return shown[-1].number
    if word in _ORDINALS or word in _NUMBERS:
        return _ORDINALS.get(word) or _NUMBERS[word]
    return int(re.sub(r"\D", "", word))


def _without(text: str, found: re.Match[str]) -> str:
    """The image's name at the beginning is left out; anywhere else it becomes `this image`: a model
    that sees one image would draw the number."""
    before, after = text[: found.start()], text[found.end() :]
    if not before.strip():
        if after.startswith(("'s ", "’s ")):
            return f"this image{after}"
        return _LEFT_BEFORE.sub("", after, count=1)
    return f"{before.rstrip()} this image{after}"
