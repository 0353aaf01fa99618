"""What the body of an error says, whatever its shape: the paths of parameters that it names, its
codes, and its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

import httpx2
import jiter
from openai import APIStatusError

_IS_PATH = re.compile(r"param|field|^loc$|path|pointer|propert|attribute|argument|^keys$|name$")
"""The fields of an error that hold a parameter's path."""
_IS_CODE = re.compile(r"code$|^type$|^status$|^reason$")
_ECHOES = {"input", "input_value", "ctx", "request", "payload", "body", "prompt", "user_id"}
_ECHOES |= {"provider_name", "url", "help", "request_id"}
"""The fields that hold what was sent, or nothing about it."""
LONGEST_TEXT = 8_000
"""Characters of an error that are read."""
MOST_TOLD = 6
"""Categories of one moderation."""
_LISTED = re.compile(r"safety_violations=\[([^\]]{1,300})\]")
_CATEGORY = re.compile(r"[A-Za-z][\w/ -]{1,39}", re.ASCII)
_DEEPEST = 8
_HOLDS_WORDS = {"detail", "details", "error", "errors", "issues", "message", "messages"}
_HOLDS_WORDS |= {"keys", "loc", "path", "fields", "params", "parameters"}
"""The fields whose texts say something about others."""


class Part(Enum):
    """What one string of an error is: a parameter's path, a code, or words."""

    PATH = auto()
    CODE = auto()
    WORDS = auto()


def snake_case(code: str) -> str:
    """`contentFilter` and `ContentPolicyViolationError` as the API writes such names."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", code).lower()


def is_page(response: httpx2.Response) -> bool:
    """Whether the answer is a web page, which no API sends."""
    html = "text/html" in response.headers.get("content-type", "")
    return html or response.text[:200].lstrip().lower().startswith(("<!doctype html", "<html"))


def categories(body: Any, depth: int = 0) -> tuple[str, ...]:
    """The categories of a moderation, in the API's words, each once."""
    found: list[str] = []
    if isinstance(body, dict) and depth < _DEEPEST:
        told = body.get("categories") or body.get("reasons")
        if isinstance(told, dict):  # as the moderation API has them
            found += [str(name) for name, flagged in told.items() if _is_flagged(flagged)]
        elif isinstance(told, list):
            found += [name for name in map(_name_of, told) if isinstance(name, str)]
        elif isinstance(told, str):
            found.append(told)
        for name, value in body.items():
            if isinstance(value, dict) and value.get("filtered") is True:  # Azure's
                found.append(str(name))
            found += categories(value, depth + 1)
    elif isinstance(body, list) and depth < _DEEPEST:
        found += [name for part in body for name in categories(part, depth + 1)]
    elif isinstance(body, str) and (listed := _LISTED.search(body[:LONGEST_TEXT])):
        found += listed[1].split(",")
    named = [name.strip(" '\"") for name in found]
    return tuple(dict.fromkeys(name for name in named if _CATEGORY.fullmatch(name)))[:MOST_TOLD]


def moderation_stage(body: Any, depth: int = 0) -> str:
    """What was turned down: `input`, or `output`, an image that was made; empty where the error
    does not tell."""
    if depth >= _DEEPEST:
        return ""
    if isinstance(body, dict):
        if isinstance(stage := body.get("moderation_stage"), str):
            return stage
        body = list(body.values())
    parts = body if isinstance(body, list) else []
    return next(filter(None, (moderation_stage(part, depth + 1) for part in parts)), "")


def _is_flagged(told: Any) -> bool:
    return told is True or (isinstance(told, dict) and told.get("flagged") is True)


def _name_of(category: Any) -> Any:
    if isinstance(category, dict):
        flagged = category.get("flagged", True) is True
        return (category.get("name") or category.get("category")) if flagged else None
    return category


def whole_body(error: APIStatusError) -> Any:
    """The body as it came: the SDK keeps of an object what stands under `error`."""
    text = error.response.text
    try:
        return jiter.from_json(text.encode()) if text else error.body
    except ValueError:
        return re.sub(r"<[^>]{0,300}>", " ", text[: 4 * LONGEST_TEXT])


def explanations(body: Any, key: str = "", depth: int = 0) -> Iterator[tuple[Part, str]]:
    """The strings that explain the error, each with what it is. Some servers put the error of
    another one into a string, and some name a field by the key that holds what is wrong with
    it."""
    if depth > _DEEPEST or key in _ECHOES:
        return
    if isinstance(body, dict):
        for name, value in body.items():
            if _says_something(value) and str(name).lower() not in _HOLDS_WORDS | _ECHOES:
                yield Part.PATH, str(name)
            yield from explanations(value, str(name).lower(), depth + 1)
    elif isinstance(body, list) and key in {"loc", "path"}:
        yield Part.PATH, ".".join(map(str, body))
    elif isinstance(body, list):
        for part in body:
            yield from explanations(part, key, depth + 1)
    elif isinstance(body, str) and body[:1] in {"{", "["}:
        yield from _within_string(body, key, depth)
    elif isinstance(body, str) and body:
        yield _kind_of_part(key, body), body


def _says_something(value: Any) -> bool:
    """Whether it is words about the field that holds it, and not the value that was sent."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], str)
    return isinstance(value, str) and " " in value


def _within_string(text: str, key: str, depth: int) -> Iterator[tuple[Part, str]]:
    try:
        within = jiter.from_json(text.encode())
    except ValueError:
        yield Part.WORDS, text
    else:
        yield from explanations(within, key, depth + 1)


def _kind_of_part(key: str, text: str) -> Part:
    """A text of several words is none of a path or a code, wherever it stands."""
    if " " in text:
        return Part.WORDS
    if _IS_PATH.search(key):
        return Part.PATH
    return Part.CODE if _IS_CODE.search(key) else Part.WORDS
