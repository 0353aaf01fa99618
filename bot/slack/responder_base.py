"""The base of all responders (`bot.slack.responders`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.limits import LimitReached
from bot.domain.prompt import OptionsRefused
from bot.domain.refusals import Refusal
from bot.domain.transitions import AlreadyApproved
from bot.domain.waiting import TooManyWaiting
from bot.views.blocks import Block, Message
from bot.views.limit_offers import limit_offer_message
from bot.views.lists import waiting_message
from bot.views.offers import approved_offer
from bot.views.prefilled import correction_message
from bot.views.refusal_words import refusal_words


@dataclass(frozen=True)
class Responder(ABC):
    """Tells one person something in private."""

    args: AsyncArgs

    async def say(self, words: str) -> None:
        await self._tell(words)

    async def show(self, message: Message) -> None:
        """A message with buttons, where there is room for them."""
        await self._tell(message.text, message.blocks)

    async def refuse(self, refusal: Refusal) -> None:
        if isinstance(refusal, TooManyWaiting) and refusal.sessions:
            await self.show(waiting_message(refusal))
        elif isinstance(refusal, AlreadyApproved):
            await self.show(approved_offer(refusal.session, refusal.change))
        elif isinstance(refusal, LimitReached):
            await self.show(limit_offer_message(refusal, command=False))
        else:
            await self.say(refusal_words(refusal))

    @abstractmethod
    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None: ...

    async def _correct(
        self, refusal: OptionsRefused, *, command: bool, with_form: bool = True
    ) -> None:
        """Refuse options, with a button that opens the form with what was right."""
        correction = correction_message(refusal, command=command) if with_form else None
        if correction is not None:
            await self.show(correction)
        else:
            await self.say(refusal_words(refusal, command=command))
