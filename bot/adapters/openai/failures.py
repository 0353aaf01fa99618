"""Which failure an error of the API is. Only this module reads error codes, HTTP statuses and the
errors inside streams."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from bot.adapters.openai.refusal import ApiRefusal
from bot.domain.errors import FailureKind, GenerationError

logger = logging.getLogger(__name__)

_BY_CODE = {
    "moderation_blocked": FailureKind.MODERATION,
    "content_filter": FailureKind.MODERATION,
    "invalid_prompt": FailureKind.MODERATION,  # the Responses API's word for a flagged prompt
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "slow_down": FailureKind.RATE_LIMITED,
    "insufficient_quota": FailureKind.QUOTA,
    "billing_hard_limit_reached": FailureKind.QUOTA,
    "billing_not_active": FailureKind.QUOTA,
    "credit_balance_exhausted": FailureKind.QUOTA,
    "invalid_api_key": FailureKind.BAD_KEY,
    "model_not_found": FailureKind.BAD_REQUEST,
    "data_residency_mismatch": FailureKind.BAD_REQUEST,
    "previous_response_not_found": FailureKind.SOURCE_GONE,
    "server_error": FailureKind.PROVIDER_DOWN,
}
_BY_STATUS = {
    401: FailureKind.BAD_KEY,
    402: FailureKind.QUOTA,
    403: FailureKind.UNVERIFIED,
    408: FailureKind.TIMED_OUT,
    409: FailureKind.PROVIDER_DOWN,
    429: FailureKind.RATE_LIMITED,
    501: FailureKind.BAD_REQUEST,  # the server has no such call
}
_NAME = re.compile(r"[\w.:\[\]-]{1,80}", re.ASCII)
_BLAMES_REQUEST = ("invalid_", "unsupported_", "unknown_", "missing_", "image_", "empty_")
"""How the codes begin that a stream uses where HTTP would have said 400."""

_BY_WORDS = {
    FailureKind.MODERATION: re.compile(
        r"safety.(?:system|violation|filter|polic)|content.?(?:management.?)?(?:policy|filter)"
        r"|usage polic|responsible.?ai|(?:flagged|blocked|rejected|refused)\b.{0,30}\bmoderation"
        r"|moderation.{0,30}\b(?:flagged|blocked|rejected|refused|failed|violat)"
        r"|\b(?:prompt|input|content|image|text)s? (?:was |has been |is |were )?"
        r"(?:flagged|blocked)"
        r"|\brequest (?:was |has been |is )?flagged|inappropriate"
        r"|violat\w+.{0,40}\b(?:polic|guideline|terms)"
        r"|prohibited.content|sexual|nsfw"
    ),
    FailureKind.QUOTA: re.compile(
        r"billing|(?:hard|spend\w*|credit|budget).limit|insufficient.(?:quota|credit|fund|balance)"
        r"|out of credit|(?:no|not enough) credit|exceeded your current quota|budget.{0,20}exceeded"
        r"|exceeded.{0,20}budget|payment (?:is )?required"
    ),
    FailureKind.BAD_KEY: re.compile(
        r"(?:invalid|incorrect|wrong|expired|missing|no|unknown) (?:api|access|subscription).?key"
        r"|(?:api|access|subscription).?key.{0,30}"
        r"(?:(?:not|n't).{0,6}valid|invalid|incorrect|expired|missing|revoked|disabled|not found)"
    ),
}
_MAY_ALSO_MEAN = {
    400: frozenset(_BY_WORDS),
    403: frozenset(_BY_WORDS),
    404: frozenset({FailureKind.BAD_KEY}),
    422: frozenset(_BY_WORDS),
    429: frozenset({FailureKind.QUOTA}),
}
"""Status → the failures that it may mean besides its own; the text decides."""
_ONLY_MONEY = re.compile(r"billing|hard.limit|insufficient.(?:credit|fund|balance)|out of credit")
"""With status 429 other words for a quota may mean a limit per minute."""


def kind_of(code: str, status: int | None = None) -> FailureKind:
    """The failure by the code, or by the status where the code says nothing. `status` is None for
    an error inside a stream."""
    code = _snake(code)
    if code in _BY_CODE:
        return _BY_CODE[code]
    if "policy" in code:
        return FailureKind.MODERATION
    if code.endswith("_limit_exceeded"):
        return FailureKind.QUOTA
    if status is None:
        blames_request = code.startswith(_BLAMES_REQUEST)
        return FailureKind.BAD_REQUEST if blames_request else FailureKind.PROVIDER_DOWN
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return FailureKind.PROVIDER_DOWN if status >= 500 else FailureKind.BAD_REQUEST


def _snake(code: str) -> str:
    """`contentFilter` and `ContentPolicyViolationError` as the API writes such names."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", code).lower()


def failure_in_stream(code: object) -> GenerationError:
    """The failure for the `code` of an `error` event, of a failed response or of a failed item."""
    return GenerationError(kind_of(str(code or "")))


def failure_of(error: APIError | ValueError, own: Iterable[str] = ()) -> GenerationError:
    """The failure for an error of the SDK. A `ValueError` is an answer that is no JSON, or a key
    that no header can hold. `own` is what people wrote; the error may repeat it."""
    if isinstance(error, UnicodeEncodeError):
        return GenerationError(FailureKind.BAD_KEY)
    if isinstance(error, APITimeoutError):
        return GenerationError(_kind_of_timeout(error))
    if isinstance(error, ValueError | APIConnectionError):
        return GenerationError(FailureKind.PROVIDER_DOWN)
    code = error.code or error.type or ""
    if not isinstance(error, APIStatusError):
        return failure_in_stream(code)
    _log(error)
    kind = _kind_in_words(error, own) or kind_of(code, error.status_code)
    return GenerationError(kind, retry_after=retry_after(error.response.headers))


def _kind_in_words(error: APIStatusError, own: Iterable[str]) -> FailureKind | None:
    """The failure by the text. The text counts where the code says no more than the status."""
    status = error.status_code
    if kind_of(error.code or error.type or "", status) is not kind_of("", status):
        return None
    if error.code == "model_not_found":
        return None
    return kind_by_words(ApiRefusal(error, own).text, status)


def _kind_of_timeout(error: APITimeoutError) -> FailureKind:
    """A request that found no connection was never sent, so nothing is paid."""
    never_sent = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
    return FailureKind.PROVIDER_DOWN if never_sent else FailureKind.TIMED_OUT


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


def kind_by_words(text: str, status: int) -> FailureKind | None:
    """The failure that the text of an error without a code means. `text` is in lower case, without
    the prompt."""
    may_be = _MAY_ALSO_MEAN.get(status, frozenset())
    found = next(
        (kind for kind, words in _BY_WORDS.items() if kind in may_be and words.search(text)), None
    )
    if status == 429 and not _ONLY_MONEY.search(text):
        return None
    return found
