"""What a refused call was refused for. A refused call costs nothing, and servers word the same
thing in many ways: where it may be something that can be done without, it is worth asking again."""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx2
from openai import APIStatusError

from bot.adapters.openai.echo import without_echo
from bot.adapters.openai.failures import kind_of
from bot.adapters.openai.refusal import Refused
from bot.adapters.openai.said import kind_by_words
from bot.domain.errors import FailureKind

_NOT_KNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unexpected|unsupported.param|extra (inputs|fields)|not permitted"
)
_LOST = re.compile(
    r"previous.{0,3}response|not.(found|persisted|stored)|expired|zero.data.retention"
)
_GONE = {404, 410}
_VAGUE = {400, 422}
_NOT_THERE = {404, 501}
_ONLY_IF_NAMED = {403, 405, 415, 500}
_REAL = {
    FailureKind.MODERATION,
    FailureKind.QUOTA,
    FailureKind.BAD_KEY,
    FailureKind.RATE_LIMITED,
    FailureKind.SOURCE_GONE,
}


def may_refuse_request(error: APIStatusError) -> bool:
    """Whether it may be about the way of asking: its status and its code do not tell of the prompt,
    the model or the account."""
    if error.status_code in _ONLY_IF_NAMED:
        return kind_of(_code(error)) not in _REAL and _code(error) != "model_not_found"
    return error.status_code in _VAGUE | _NOT_THERE and _blames_request(error)


def only_if_named(error: APIStatusError) -> bool:
    """Whether it is about the way of asking only where it names a parameter. Any other such one
    tells of the account, of the address or of a breakdown."""
    return error.status_code in _ONLY_IF_NAMED


def tells_of_failure(error: APIStatusError, refused: Refused) -> bool:
    """Whether its words tell of the prompt or the account."""
    return kind_by_words(refused.text, error.status_code) is not None


def refusal_in_stream(body: object) -> APIStatusError:
    """The error that a stream ended with, before an image was begun, as one of a breakdown: it is
    about the way of asking only where it names a parameter."""
    response = httpx2.Response(500, request=httpx2.Request("POST", "http://stream"))
    return APIStatusError("refused in the stream", response=response, body=body)


def may_be_vague(error: APIStatusError) -> bool:
    """Whether one that names nothing may be about the way of asking."""
    return error.status_code in _VAGUE


def lost_earlier(error: APIStatusError, own: Iterable[str] = ()) -> bool:
    """Whether it says that the response named as the previous one can't be built upon: it is not
    there, is of another account, holds no image, or the server keeps none at all."""
    if kind_of(_code(error), error.status_code) is FailureKind.SOURCE_GONE:
        return True
    if not _about_request(error):
        return False
    told = _told(error, own)
    if error.status_code in _GONE or _LOST.search(told):
        return True
    return _names_action(error, told) and not _NOT_KNOWN.search(told)


def may_have_lost_earlier(error: APIStatusError) -> bool:
    """Whether the same may be meant by one that does not say what it is about."""
    return error.status_code in _VAGUE and _about_request(error) and not error.param


def _about_request(error: APIStatusError) -> bool:
    return error.status_code in _VAGUE | _GONE and _blames_request(error)


def _blames_request(error: APIStatusError) -> bool:
    code = _code(error)
    known = kind_of(code, error.status_code) is FailureKind.BAD_REQUEST
    return known and code != "model_not_found"


def _names_action(error: APIStatusError, told: str) -> bool:
    return error.status_code in _VAGUE and re.search(r"\baction\b", told) is not None


def _code(error: APIStatusError) -> str:
    return str(error.code or "")


def _told(error: APIStatusError, own: Iterable[str]) -> str:
    return without_echo(str(error.body), own)
