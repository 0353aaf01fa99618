"""Which failure an error of the API is, by its codes, its words and its status, in an answer or
inside a stream."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from bot.adapters.openai.bounded_answers import AnswerTooLarge
from bot.adapters.openai.error_body import categories, is_page, moderation_stage
from bot.adapters.openai.error_patterns import (
    kind_by_words,
    kind_in_stream,
    kind_of_code,
    kind_of_status,
)
from bot.adapters.openai.refusal import ApiRefusal
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.options import Value

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[\w.:\[\]-]{1,80}", re.ASCII)
_MAY_BE_TAKEN = {408, 499, 502, 504, 520, 524}
"""Statuses that a server in between gives where the provider may have taken the call. A call that
is answered with another error is not charged for, unless it says that an image was made."""
_NAMES_MODEL = re.compile(r"(?:^|[.\]])model$")

Chosen = Mapping[str, Value]
"""The options that a person chose, by the API's arguments."""


def failure_of(
    error: APIError | ValueError, own: Iterable[str] = (), chosen: Chosen | None = None
) -> GenerationError:
    """The failure for an error of the SDK. A `ValueError` is an answer that is no JSON, or a key
    that no header can hold. `own` is what people wrote; the error may repeat it."""
    if isinstance(error, UnicodeEncodeError):
        return GenerationError(FailureKind.BAD_KEY)
    if isinstance(error, APITimeoutError):
        return _unsent(GenerationError(_kind_of_timeout(error)), error)
    if isinstance(error.__cause__, AnswerTooLarge):
        return GenerationError(FailureKind.BAD_IMAGE)
    if isinstance(error, ValueError | APIConnectionError):
        return _unsent(GenerationError(FailureKind.PROVIDER_DOWN), error)
    if not isinstance(error, APIStatusError):
        return failure_in_stream(error.body, own, chosen)
    _log(error)
    if error.status_code < 300:
        failure = failure_in_stream(error.body, own, chosen)
        taken = {str(status) for status in _MAY_BE_TAKEN} & set(ApiRefusal(error.body).codes)
        failure.may_be_paid = bool(taken) or _image_was_made(failure.kind, error.body)
        return failure
    refusal, page = ApiRefusal.of(error, own), is_page(error.response)
    status = error.status_code
    kind = _known_kind(refusal, status, chosen, page=page) or kind_of_status(status, page=page)
    if status == 403 and kind is FailureKind.NO_ACCESS and not refusal.is_json:
        kind = FailureKind.BLOCKED
    failure = _failure(kind, refusal, chosen)
    failure.retry_after = retry_after(error.response.headers)
    failure.may_be_paid = status in _MAY_BE_TAKEN or _image_was_made(kind, refusal.body)
    return failure


def failure_in_stream(
    error: object, own: Iterable[str] = (), chosen: Chosen | None = None
) -> GenerationError:
    """The failure for an `error` event, or the error of a failed response or of a failed item: a
    JSON object, a text or None. Some servers put an HTTP status where the code belongs."""
    refusal = ApiRefusal(error, own)
    status = next((int(code) for code in refusal.codes if re.fullmatch(r"[45]\d\d", code)), None)
    kind = _known_kind(refusal, status, chosen)
    if kind is None:
        kind = kind_of_status(status) if status else kind_in_stream(refusal.codes)
    return _failure(kind, refusal, chosen)


def _image_was_made(kind: FailureKind, body: object) -> bool:
    return kind is FailureKind.MODERATION and moderation_stage(body) == "output"


def _known_kind(
    refusal: ApiRefusal, status: int | None, chosen: Chosen | None, *, page: bool = False
) -> FailureKind | None:
    """The failure by the codes, then by the parameter at fault, then by the words. A server in
    between gives its own code to what the one behind it refuses."""
    about_options = status in {400, 404, 422} and bool(refusal.options_named(chosen or {}))
    by_code = (kind_of_code(code, status) for code in refusal.codes)
    if kind := next(filter(None, by_code), None):
        passed_on = kind is FailureKind.PROVIDER_DOWN and about_options
        return FailureKind.BAD_REQUEST if passed_on and refusal.names_what_it_rejects else kind
    if status is None or status < 500:
        if any(_NAMES_MODEL.search(path) for path in refusal.paths):
            return FailureKind.MODEL_UNAVAILABLE
        if about_options:
            return FailureKind.BAD_REQUEST
    return kind_by_words(refusal.text, status, page=page)


def _failure(kind: FailureKind, refusal: ApiRefusal, chosen: Chosen | None) -> GenerationError:
    details: tuple[str, ...] = ()
    if kind is FailureKind.MODERATION:
        details = categories(refusal.body)
    elif kind is FailureKind.BAD_REQUEST:
        details = refusal.options_named(chosen or {})
    return GenerationError(kind, details=details)


def _kind_of_timeout(error: APITimeoutError) -> FailureKind:
    """A request that found no connection was never sent, so nothing is paid."""
    never_sent = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
    return FailureKind.PROVIDER_DOWN if never_sent else FailureKind.TIMED_OUT


def _unsent(failure: GenerationError, error: Exception) -> GenerationError:
    """The failure, which costs nothing where the request found no connection, or where a proxy
    gave none."""
    never_sent = (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.ProxyError,
    )
    failure.may_be_paid = not isinstance(error.__cause__, never_sent)
    return failure


def _log(error: APIStatusError) -> None:
    """Log what the operator needs to find the request. The message stays out: it may quote the
    prompt or a part of the key."""
    logger.warning(
        "the provider refused: status %s, code %s, param %s, request %s",
        error.status_code,
        *(_name(value) for value in (error.code or error.type, error.param, error.request_id)),
    )


def _name(value: object) -> str:
    """The value if it can be a name, else `?`: some servers put a message there."""
    return str(value) if value is None or _NAME.fullmatch(str(value)) else "?"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        else:
            seconds = _seconds(headers.get("retry-after", ""))
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return parsedate_to_datetime(value).timestamp() - time.time()
