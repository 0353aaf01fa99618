"""What a refused call was refused for. A refused call costs nothing, and servers word the same
thing in many ways: where it may be something that can be done without, it is worth asking again."""

from __future__ import annotations

import re

from openai import APIStatusError

from bot.adapters.openai.failures import kind_of
from bot.domain.errors import FailureKind

_NOT_KNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unexpected|unsupported.param|extra (inputs|fields)|not permitted"
)
_LOST = re.compile(
    r"previous.{0,3}response|not.(found|persisted|stored)|expired|zero.data.retention"
)
_GONE = {404, 410}


def names_unknown(error: APIStatusError, name: str) -> bool:
    """Whether it names this parameter as one that the server does not know."""
    told = _told(error)
    if error.status_code not in {400, 422} or not _NOT_KNOWN.search(told):
        return False
    return _names(told, name)


def blames_call(error: APIStatusError) -> bool:
    """Whether it may be about the way of asking: a 400 (422 on some servers) that is not about
    the prompt or the model."""
    return error.status_code in {400, 422} and _about_request(error)


def names_action(error: APIStatusError) -> bool:
    return blames_call(error) and _names(_told(error), "action")


def lost_earlier(error: APIStatusError) -> bool:
    """Whether it says that the response named as the previous one can't be built upon: it is not
    there, is of another account, holds no image, or the server keeps none at all."""
    if kind_of(_code(error), error.status_code) is FailureKind.SOURCE_GONE:
        return True
    if not _about_request(error):
        return False
    if error.status_code in _GONE or _LOST.search(_told(error)):
        return True
    return names_action(error) and not names_unknown(error, "action")


def may_have_lost_earlier(error: APIStatusError) -> bool:
    """Whether the same may be meant by one that does not say what it is about."""
    return blames_call(error) and not error.param


def _about_request(error: APIStatusError) -> bool:
    code = _code(error)
    if error.status_code not in {400, 422} | _GONE or code == "model_not_found":
        return False
    return kind_of(code, error.status_code) is FailureKind.BAD_REQUEST


def _code(error: APIStatusError) -> str:
    return error.code or ""


def _told(error: APIStatusError) -> str:
    return str(error.body).lower()


def _names(told: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", told) is not None
