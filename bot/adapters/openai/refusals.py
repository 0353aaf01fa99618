"""What a refused call was refused for. A refused call costs nothing, and servers word the same
thing in many ways: where it may be something that can be done without, it is worth asking again."""

from __future__ import annotations

import re

from openai import APIStatusError

from bot.adapters.openai.blame import Refused
from bot.adapters.openai.extras import Asked
from bot.adapters.openai.failures import kind_of
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
_NAMED_ONLY = {403, 405, 415, 500}
_SURE = {FailureKind.MODERATION, FailureKind.QUOTA, FailureKind.BAD_KEY, FailureKind.RATE_LIMITED}
"""Failures that a code tells: no other way of asking mends them."""
_BLAMES_PROMPT = re.compile(r"safety.(system|violation)|content.(policy|filter)|usage polic")
_NO_SUCH_ARGUMENT = "unexpected keyword argument"
"""What a server in Python breaks with before it has done anything."""


def names_parameter(error: APIStatusError, refused: Refused, asked: Asked) -> bool:
    """Whether it names a parameter of ours, whatever else it says: some servers break at one that
    they do not know, some call it forbidden."""
    known = error.status_code in _VAGUE | _NOT_THERE | _NAMED_ONLY
    kind = kind_of(_code(error), error.status_code)
    return known and kind not in _SURE and refused.names(asked) is not None


def refuses_request(error: APIStatusError, told: str) -> bool:
    """Whether it may be about the way of asking: not about the prompt, the model or the account.
    `told` is what it says in words."""
    if error.status_code == 500:
        return _NO_SUCH_ARGUMENT in told
    known = error.status_code in _VAGUE | _NOT_THERE
    return known and _blames_request(error) and not _BLAMES_PROMPT.search(told)


def may_be_vague(error: APIStatusError) -> bool:
    """Whether one that names nothing may be about the way of asking."""
    return error.status_code in _VAGUE


def lost_earlier(error: APIStatusError) -> bool:
    """Whether it says that the response named as the previous one can't be built upon: it is not
    there, is of another account, holds no image, or the server keeps none at all."""
    if kind_of(_code(error), error.status_code) is FailureKind.SOURCE_GONE:
        return True
    if not _about_request(error):
        return False
    if error.status_code in _GONE or _LOST.search(_told(error)):
        return True
    return _names_action(error) and not _NOT_KNOWN.search(_told(error))


def may_have_lost_earlier(error: APIStatusError) -> bool:
    """Whether the same may be meant by one that does not say what it is about."""
    return error.status_code in _VAGUE and _about_request(error) and not error.param


def _about_request(error: APIStatusError) -> bool:
    return error.status_code in _VAGUE | _GONE and _blames_request(error)


def _blames_request(error: APIStatusError) -> bool:
    code = _code(error)
    known = kind_of(code, error.status_code) is FailureKind.BAD_REQUEST
    return known and code != "model_not_found"


def _names_action(error: APIStatusError) -> bool:
    return error.status_code in _VAGUE and re.search(r"\baction\b", _told(error)) is not None


def _code(error: APIStatusError) -> str:
    return str(error.code or "")


def _told(error: APIStatusError) -> str:
    return str(error.body).lower()
