"""The buttons of messages, and the shortcut "Edit this image"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import ImageRef
from bot.domain.policy import Person
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.slack.listening import (
    ADMITTED_PERSON,
    AdmittedPerson,
    ListenerDependencies,
    click_id,
    error_boundary,
    open_form,
    origin_of,
    within_ack_deadline,
)
from bot.slack.message_lookup import MessageLookup
from bot.slack.responders import ClickResponder, ShortcutResponder
from bot.views import forms
from bot.views.blocks import Message, Target, read_edit_value, target_of
from bot.views.lists import cancelled_words
from bot.views.offers import discarded_message, restored_words
from bot.views.source_pictures import Picture, SourcePictures

Decision = Callable[[str, ImageRef, Person], Awaitable[Session]]
"""A decision: from a session id, an image and the person who clicked to the session."""


class Clicks:
    """Each is about the image that its button's value names."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def approve(self, args: AsyncArgs) -> None:
        await self._decide(args, self._services.decisions.approve)

    async def use_this(self, args: AsyncArgs) -> None:
        """Approve an image of an earlier draft."""
        await self._decide(args, self._services.decisions.use_earlier)

    async def regenerate(self, args: AsyncArgs) -> None:
        idempotency_key = click_id(args.body)
        await self._decide(
            args, partial(self._services.gateway.regenerate, idempotency_key=idempotency_key)
        )

    async def try_again(self, args: AsyncArgs) -> None:
        idempotency_key = click_id(args.body)
        await self._decide(
            args, partial(self._services.gateway.try_again, idempotency_key=idempotency_key)
        )

    async def cancel(self, args: AsyncArgs) -> None:
        """Its button stands in the root message, and in the answer to a request for too many."""
        await self._decide(args, self._services.decisions.cancel, _cancelled)

    async def discard(self, args: AsyncArgs) -> None:
        """Its button stands in private answers alone."""
        discard = partial(self._services.decisions.discard, idempotency_key=click_id(args.body))
        await self._decide(args, discard, discarded_message)

    async def undo(self, args: AsyncArgs) -> None:
        await self._decide(args, self._services.decisions.undo_discard, _restored)

    async def refine(self, args: AsyncArgs) -> None:
        """Open the form that asks what should change."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                self._services.gateway.check_can_refine(
                    target.session_id, target.image, args.context[ADMITTED_PERSON].person
                )
            )
            edited = session.attempt(target.image.attempt)
            cost = await self._dependencies.cost_words(
                args,
                session.channel,
                edited.options.replace(count=0),
                edits=True,
                base=edited.candidate(target.image.candidate),
            )
            await open_form(args, forms.refine_form(target, session, cost))

    async def edit_prompt(self, args: AsyncArgs) -> None:
        """Open the form with the attempt's prompt and options."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                self._services.gateway.check_can_edit(
                    target.session_id, target.image.attempt, args.context[ADMITTED_PERSON].person
                )
            )
            edited = session.attempt(target.image.attempt)
            cost = await self._dependencies.cost_words(
                args,
                session.channel,
                edited.options,
                prompt=edited.prompt,
                edits=session.source is not None,
            )
            form = forms.edit_form(
                target,
                edited.prompt,
                edited.options,
                self._services.option_table,
                from_picture=session.source is not None,
                cost=cost,
            )
            await open_form(args, form)

    async def start_over(self, args: AsyncArgs) -> None:
        """Open the form of a new session of the person's own, with the approved one's prompt."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            old, new = await within_ack_deadline(
                self._services.new_sessions.restart(origin_of(args, ""), target.session_id)
            )
            prompt = old.attempt(old.final_result).prompt
            from_picture = new.source is not None
            cost = await self._dependencies.cost_words(
                args, new.channel, new.options, prompt=prompt, edits=from_picture
            )
            form = forms.prompt_form(
                Target(new.id, ImageRef(0)),
                prompt,
                new.options,
                self._services.option_table,
                from_picture=from_picture,
                cost=cost,
            )
            await open_form(args, form)

    async def edit_image(self, args: AsyncArgs) -> None:
        """Open the form that starts a session of the person's own from an approved image."""
        async with error_boundary(ClickResponder(args)):
            if not self._dependencies.identity.has_scope("files:read"):
                raise Refusal(Reason.IMAGE_NOT_SHARED)
            target, change = read_edit_value(args.body["actions"][0].get("value"))
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            session, source, defaults = await within_ack_deadline(
                self._services.new_sessions.approved_image(
                    admitted.team, admitted.owner, target.session_id
                )
            )
            picture = Picture(source.file_id, source.mime_type, source.size)
            pictures = SourcePictures(session.channel, "", "", (picture,))
            cost = await self._dependencies.cost_words(args, session.channel, defaults, edits=True)
            table = self._services.option_table
            await open_form(args, forms.image_form(pictures, defaults, table, cost, change))

    async def _decide(
        self, args: AsyncArgs, decision: Decision, said: Callable[[Session], Message] | None = None
    ) -> None:
        """`said`: what replaces a private message with the button."""
        responder = ClickResponder(args)
        async with error_boundary(responder):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                decision(target.session_id, target.image, args.context[ADMITTED_PERSON].person)
            )
            await args.ack()
            await self._dependencies.queue_due(session)
            if said and responder.is_private:
                answer = said(session)
                await responder.replace_message(answer.text, answer.blocks)


def _cancelled(session: Session) -> Message:
    return Message(cancelled_words(session), [])


def _restored(session: Session) -> Message:
    return Message(restored_words(session), [])


class Shortcuts:
    """Whether a picture will do is said before anything is paid for."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._lookup = MessageLookup(dependencies.identity)

    async def direct_image(self, args: AsyncArgs) -> None:
        """Open the form that starts a session from a picture of the message."""
        async with error_boundary(ShortcutResponder(args)):
            services = self._dependencies.services
            pictures = await self._pictures(args)
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            defaults = await within_ack_deadline(
                services.new_sessions.defaults(admitted.team, admitted.owner)
            )
            channel = args.body["channel"]["id"]
            cost = await self._dependencies.cost_words(args, channel, defaults, edits=True)
            await open_form(args, forms.image_form(pictures, defaults, services.option_table, cost))

    async def _pictures(self, args: AsyncArgs) -> SourcePictures:
        body, message = args.body, args.body["message"]
        found = await self._lookup.of_message(args.client, message)
        if not found.pictures:
            raise found.refusal or Refusal(Reason.NO_IMAGE_THERE)
        if not self._dependencies.identity.has_scope("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        channel = body["channel"]["id"]
        if message.get("subtype") == "thread_broadcast":  # its thread may well be closed
            return SourcePictures(channel, "", "", found.pictures)
        thread_ts = message.get("thread_ts") or ""
        return SourcePictures(channel, thread_ts, message["ts"], found.pictures)
