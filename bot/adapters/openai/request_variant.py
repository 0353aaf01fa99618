"""The variant of a request that a server is asked with: without what it has refused.

A refused call costs nothing, and servers word the same thing in many ways: where a refusal may be
about something that can be done without, it is worth asking again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import httpx2
from openai import APIStatusError

from bot.adapters.openai.error_body import snake_case
from bot.adapters.openai.error_patterns import kind_by_words, kind_of_code
from bot.adapters.openai.extras import DEPENDS_ON_CHOICE, Asked, OptionalParameter
from bot.adapters.openai.refusal import ApiRefusal, Blame
from bot.adapters.openai.response_state import ResponseState
from bot.adapters.openai.wording import own_words, without_own_words
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from bot.domain.option_table import OPTIONS

_FIRST_GUESSES = (OptionalParameter.BACKGROUND,)
_GUESSES = (
    *_FIRST_GUESSES,
    OptionalParameter.NO_PARTIALS,
    OptionalParameter.STREAM,
    OptionalParameter.QUALITY,
    OptionalParameter.SIZE,
    OptionalParameter.OUTPUT_FORMAT,
    OptionalParameter.SAFETY_IDENTIFIER,
    OptionalParameter.ACTION,
    OptionalParameter.TOOL_CHOICE,
)
"""The extras that a refusal without a name may be about, the most likely first."""
_NOT_KNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unexpected|unsupported.param|extra (inputs|fields)|not permitted"
)
_LOST = re.compile(
    r"previous.{0,3}response|not.(found|persisted|stored)|expired|zero.data.retention"
)
_GONE = {404, 410}
_VAGUE = {400, 422}
_NOT_THERE = {404, 501}
_NEVER = {401, 402, 407, 408, 409, 429}
"""A refusal with one of these is about the account, the address or the load. One with any other
status is about the request's form only where it names a parameter."""
_OTHER_CAUSES = {
    FailureKind.MODERATION,
    FailureKind.QUOTA,
    FailureKind.BAD_KEY,
    FailureKind.RATE_LIMITED,
    FailureKind.SOURCE_GONE,
    FailureKind.MODEL_UNAVAILABLE,
    FailureKind.COUNTRY_REFUSED,
}
_ASKED_AGAIN = {OptionalParameter.NO_PARTIALS: frozenset({OptionalParameter.PARTIALS})}
"""Extra → the extras that are asked for again: a server that refuses 0 partial images takes 1."""


@dataclass(frozen=True)
class RequestVariant:
    """One way to make a request: `without` these extras. Those in `lasting` the server refuses for
    certain, so that no later request asks for them."""

    without: frozenset[OptionalParameter] = frozenset()
    lasting: frozenset[OptionalParameter] = frozenset()

    def after(
        self,
        error: APIStatusError,
        asked: Asked,
        guesses: tuple[OptionalParameter, ...],
        *,
        chosen: bool,
        like_image: bool = False,
        own: Iterable[str] = (),
    ) -> RequestVariant | None:
        """The next variant, without one more extra of those that were `asked`; None where the
        refusal is about something else. Of the `guesses`, one is given up where it does not
        say what it is about. `chosen`: a person chose options, which may be why;
        `like_image`: the size follows an image to edit. `own`: what people wrote, which may be
        repeated in it.
        """
        blame = _blame(error, ApiRefusal.of(error, own), asked, guesses)
        if blame is None:
            return None
        given_up, asked_again = {blame.extra}, _ASKED_AGAIN.get(blame.extra, frozenset())
        certain = blame.certain and not (chosen and blame.extra in DEPENDS_ON_CHOICE)
        certain = certain and not (like_image and blame.extra is OptionalParameter.SIZE)
        lasting = self.lasting | given_up if certain else self.lasting
        return RequestVariant(self.without - asked_again | given_up, lasting - asked_again)


def _blame(
    error: APIStatusError, refused: ApiRefusal, asked: Asked, guesses: tuple[OptionalParameter, ...]
) -> Blame | None:
    """The extra that is to blame. A parameter that is named as one counts before all words."""
    if not _may_refuse_request(error):
        return None
    blame = refused.refused_parameter(asked)
    if error.status_code not in _VAGUE | _NOT_THERE or not _blames_request(error):
        return blame if blame and blame.certain and refused.names_what_it_rejects else None
    if blame and blame.certain:
        return blame
    known = kind_by_words(refused.text, error.status_code)
    if known and not (blame and known is FailureKind.PROVIDER_DOWN):
        return None
    if blame is None and error.status_code in _VAGUE and refused.names_no_parameter:
        return next((Blame(one, certain=False) for one in guesses if one in asked), None)
    return blame


def variant_after_refusal(
    request: ImageRequest, variant: RequestVariant, error: APIStatusError, asked: Asked
) -> RequestVariant:
    """The next variant. Raises the refusal where there is nothing left to do without."""
    by_id = request.base is not None and bool(request.base.response_id)
    own = own_words(request)
    if by_id and _previous_is_lost(error, own):
        raise GenerationError(FailureKind.SOURCE_GONE) from None
    may_be_lost = without_response_id(request) is not None and _previous_may_be_lost(error)
    guesses = _FIRST_GUESSES if may_be_lost else _GUESSES
    chosen, edit = bool(OPTIONS.arguments(request.options)), request.base is not None
    if following := variant.after(error, asked, guesses, chosen=chosen, like_image=edit, own=own):
        return following
    if may_be_lost:
        raise GenerationError(FailureKind.SOURCE_GONE) from None
    raise error


def variant_after_stream(
    request: ImageRequest, variant: RequestVariant, state: ResponseState, asked: Asked
) -> RequestVariant | None:
    """The next variant after a response that was accepted and then refused. None where an image was
    begun, or where something else is the matter."""
    if state.image_begun or state.result or not state.ended or not state.error:
        return None
    error = refusal_within(state.error)
    chosen, edit = bool(OPTIONS.arguments(request.options)), request.base is not None
    return variant.after(error, asked, (), chosen=chosen, like_image=edit, own=own_words(request))


def without_response_id(request: ImageRequest) -> ImageRequest | None:
    """The same request without the id of the response that holds the image, where it has one and
    the bytes too."""
    base = request.base
    if base is None or not (base.response_id and base.data):
        return None
    return replace(request, base=replace(base, response_id=""))


def _may_refuse_request(error: APIStatusError) -> bool:
    """Whether the refusal may be about the request's form: its status and its code do not name the
    prompt, the model or the account."""
    if error.status_code in _NEVER:
        return False
    return _kind_of_code(error) not in _OTHER_CAUSES


def refusal_within(body: object) -> APIStatusError:
    """The error that came with status 200, in a stream before an image was begun or in place of the
    answer. It is about the request's form only where it names a parameter."""
    response = httpx2.Response(200, request=httpx2.Request("POST", "http://answer"))
    return APIStatusError("refused in the answer", response=response, body=body)


def _previous_is_lost(error: APIStatusError, own: Iterable[str] = ()) -> bool:
    """Whether the refusal says that the previous response cannot be continued: it is not there,
    belongs to another account, holds no image, or the server keeps no responses."""
    if _kind_of_code(error) is FailureKind.SOURCE_GONE:
        return True
    if not _about_request(error):
        return False
    told = without_own_words(str(error.body), own)
    if error.status_code in _GONE or _LOST.search(told):
        return True
    names_action = re.search(r"\baction\b", told) is not None
    return names_action and not _NOT_KNOWN.search(told)


def _previous_may_be_lost(error: APIStatusError) -> bool:
    """Whether a refusal that names nothing may mean the same."""
    return error.status_code in _VAGUE and _about_request(error) and not error.param


def _about_request(error: APIStatusError) -> bool:
    return error.status_code in _VAGUE | _GONE and _blames_request(error)


def _blames_request(error: APIStatusError) -> bool:
    return _kind_of_code(error) is None


def _kind_of_code(error: APIStatusError) -> FailureKind | None:
    return kind_of_code(snake_case(str(error.code or "")))
