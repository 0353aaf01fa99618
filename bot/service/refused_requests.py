"""What a refusal by a limit offers: what the person has waiting, and what is left of the request,
whose words are kept on the server where they are too long for a button."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol
from uuid import uuid4

from bot.domain.errors import StoreUnavailable
from bot.domain.limits import LimitReached, RefusedAttempt, gives_back
from bot.domain.policy import Person
from bot.domain.questions import RefusedRequest
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.domain.waiting import images_waiting
from bot.ports import QuestionStore, WaitingImages
from bot.views.blocks import utf16_length

_FOUND_WITHIN = 0.5
"""Seconds; later, the refusal is told without them."""
_MOST_IN_A_BUTTON = 1_500
"""UTF-16 units of words as JSON: of the 2,000 that a button's value holds."""


class OfferStore(WaitingImages, QuestionStore, Protocol):
    """What an offer needs of the store."""


@asynccontextmanager
async def with_offers(sessions: OfferStore, person: Person, team: str) -> AsyncIterator[None]:
    """Give a `LimitReached` of the body the person's own sessions whose images wait, where what
    they give back counts for that limit. Long words are kept."""
    try:
        yield
    except LimitReached as refused:
        owner = person.key_in(team)
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_FOUND_WITHIN):
                if wanted := refused.wanted:
                    quota = refused.standing.quota
                    waiting = await _waiting(sessions, team, owner)
                    refused.waiting = tuple(s for s in waiting if gives_back(s, quota, wanted))
                    if refused.has_offers:
                        refused.kept = await _keep(sessions, wanted, team, owner)
        raise


class RefusedRequests:
    """Finds the words that were kept."""

    def __init__(self, questions: QuestionStore) -> None:
        self._questions = questions

    async def find(self, request_id: str, team: str, owner: str) -> RefusedRequest:
        """Raises `Refusal(QUESTION_EXPIRED)`, also for the request of anybody else."""
        if SessionId.parse(request_id)[:2] == (team, owner):
            found = await self._questions.question(request_id)
            if isinstance(found, RefusedRequest):
                return found
        raise Refusal(Reason.QUESTION_EXPIRED)


async def _waiting(sessions: WaitingImages, team: str, owner: str) -> tuple[Session, ...]:
    waiting = await sessions.images_waiting(team, owner)
    loaded = await sessions.load_many(list(waiting))
    own = [s for s in loaded if images_waiting(s)]
    return tuple(sorted(own, key=lambda s: s.latest.queued_at, reverse=True))


async def _keep(questions: QuestionStore, wanted: RefusedAttempt, team: str, owner: str) -> str:
    """The id under which the words are kept; empty where a button holds them."""
    prompt, change = wanted.new_words
    text = json.dumps([prompt, change], ensure_ascii=False)
    if utf16_length(text) <= _MOST_IN_A_BUTTON:
        return ""
    kept = RefusedRequest(f"{team}.{owner}.{uuid4().hex}", wanted.session.channel, prompt, change)
    await questions.keep_question(kept)
    return kept.id
