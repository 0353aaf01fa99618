"""The buttons of questions: whether a picture is meant, and which image a change is about."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.slack.listening import (
    ADMITTED_PERSON,
    ListenerDependencies,
    Payload,
    error_boundary,
    within_ack_deadline,
)
from bot.slack.responders import ClickResponder
from bot.views.blocks import target_of
from bot.views.questions import answered_words
from bot.views.suggestions import SUGGESTION, refined_words


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


class ChangeAnswers:
    """Those who may direct the session can answer. Pressed twice, a button begins one attempt."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def refine_with(self, args: AsyncArgs) -> None:
        """Make the change that the message offers. Its place is taken by words, unless it is a
        draft, which its session keeps up to date."""
        responder = ClickResponder(args)
        async with error_boundary(responder):
            target = target_of(args.body["actions"][0].get("value"))
            person = args.context[ADMITTED_PERSON].person
            answering = self._services.replies.refine_as_asked(
                target.session_id, target.image, person
            )
            session, question = await within_ack_deadline(answering)
            await args.ack()
            await self._dependencies.queue_due(session)
            if _is_question(args.body):
                await responder.replace_message(refined_words(session, question, target.image))


def _is_question(body: Payload) -> bool:
    """Whether the button stands in a message that only asks; a draft has it, too."""
    blocks = body.get("message", {}).get("blocks") or [{}]
    suggested = str(blocks[0].get("block_id") or "").startswith(SUGGESTION)
    return suggested or bool(body.get("container", {}).get("is_ephemeral"))
