"""The buttons of the question whether the picture at the top of a thread is meant."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.slack.listening import (
    ADMITTED_PERSON,
    ListenerDependencies,
    error_boundary,
    within_ack_deadline,
)
from bot.slack.responders import ClickResponder
from bot.views.blocks import target_of
from bot.views.questions import answered_words


class PictureAnswers:
    """Only the person who was asked can answer. Pressed twice, or one after the other, the buttons
    start one session."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def use_picture(self, args: AsyncArgs) -> None:
        await self._answer(args, use_picture=True)

    async def words_only(self, args: AsyncArgs) -> None:
        await self._answer(args, use_picture=False)

    async def _answer(self, args: AsyncArgs, *, use_picture: bool) -> None:
        responder = ClickResponder(args)
        async with error_boundary(responder):
            target = target_of(args.body["actions"][0].get("value"))
            person = args.context[ADMITTED_PERSON].person
            answering = self._services.questions.answer(
                target.session_id, person, use_picture=use_picture
            )
            session = await within_ack_deadline(answering)
            await args.ack()
            await self._dependencies.queue_due(session)
            await responder.replace_message(answered_words(session))
