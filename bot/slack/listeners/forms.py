"""The forms that are submitted. One delivered twice counts once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import ImageRef, Source
from bot.domain.images import check_picture
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.service import RequestOrigin
from bot.slack.listening import (
    ADMITTED_PERSON,
    ListenerDependencies,
    error_boundary,
    form_text,
    form_values,
    open_form,
    origin_of,
    within_ack_deadline,
)
from bot.slack.private_messages import DELIVERY_ERRORS, send_ephemeral
from bot.slack.responders import FormResponder, responder_to
from bot.views import words
from bot.views.blocks import Target, target_of
from bot.views.forms import prompt_form, read_options, read_picture
from bot.views.prefilled import Prefilled, prefilled_of
from bot.views.source_pictures import SourcePictures


class NewImages:
    """The button that opens the form of a new session: below a note about wrong options, and in
    the Home tab."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def open(self, args: AsyncArgs) -> None:
        async with error_boundary(responder_to(args)):
            table = self._services.option_table
            wanted = prefilled_of(args.body["actions"][0].get("value"), table)
            channel = wanted.channel or args.body.get("container", {}).get("channel_id", "")
            if not channel:
                raise Refusal(Reason.EXPIRED)
            session = await within_ack_deadline(self._waiting(origin_of(args, channel), wanted))
            target, options = Target(session.id, ImageRef(0)), session.options
            cost = await self._dependencies.cost_words(args, channel, options, prompt=wanted.prompt)
            await open_form(args, prompt_form(target, wanted.prompt, options, table, cost=cost))

    async def _waiting(self, origin: RequestOrigin, wanted: Prefilled) -> Session:
        new_sessions = self._services.new_sessions
        options = wanted.options.over(await new_sessions.defaults(origin.team, origin.owner))
        return await new_sessions.start(origin, "", options=options, may_wait=True)


class Forms:
    """A refusal stands below its field, and the typed text stays."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def prompt_submitted(self, args: AsyncArgs) -> None:
        """The form of a new session."""
        async with error_boundary(FormResponder(args), away=words.FORM_LOST):
            view, person = args.body["view"], args.context[ADMITTED_PERSON].person
            target = target_of(view.get("private_metadata"))
            options = read_options(form_values(view), self._services.option_table)
            submitting = self._services.gateway.submit(
                target.session_id, person, form_text(view), options
            )
            await self._finish(args, await within_ack_deadline(submitting))

    async def edit_submitted(self, args: AsyncArgs) -> None:
        """The form that edits an attempt's prompt and options."""
        async with error_boundary(FormResponder(args), away=words.FORM_LOST):
            view = args.body["view"]
            target = target_of(view.get("private_metadata"))
            options = read_options(form_values(view), self._services.option_table)
            session = await within_ack_deadline(
                self._services.gateway.edit(
                    target.session_id,
                    target.image.attempt,
                    args.context[ADMITTED_PERSON].person,
                    form_text(view),
                    options,
                    idempotency_key=view["id"],
                )
            )
            await self._finish(args, session)

    async def refine_submitted(self, args: AsyncArgs) -> None:
        """The form that says what should change about an image."""
        async with error_boundary(FormResponder(args), away=words.FORM_LOST):
            view = args.body["view"]
            target = target_of(view.get("private_metadata"))
            session = await within_ack_deadline(
                self._services.gateway.refine(
                    target.session_id,
                    target.image,
                    args.context[ADMITTED_PERSON].person,
                    form_text(view),
                    idempotency_key=view["id"],
                )
            )
            await self._finish(args, session)

    async def image_submitted(self, args: AsyncArgs) -> None:
        """The form that starts a session from a picture, in the thread of its message."""
        async with error_boundary(FormResponder(args), away=words.FORM_LOST):
            view = args.body["view"]
            pictures = SourcePictures.from_metadata(view.get("private_metadata") or "")
            if pictures is None:
                raise Refusal(Reason.EXPIRED)
            values = form_values(view)
            options = read_options(values, self._services.option_table)
            origin, source = _origin_of_form(args, pictures), _chosen(values, pictures)
            starting = self._services.new_sessions.start(origin, form_text(view), source, options)
            await self._finish(args, await within_ack_deadline(starting))

    async def _finish(self, args: AsyncArgs, session: Session) -> None:
        await args.ack()
        waiting_note = await self._dependencies.waiting_note(session)
        await self._dependencies.queue_due(session)
        if waiting_note:
            with suppress(*DELIVERY_ERRORS):
                await send_ephemeral(args, session.channel, session.thread_ts, waiting_note)


def _origin_of_form(args: AsyncArgs, pictures: SourcePictures) -> RequestOrigin:
    """One form starts one session: pressed once more, because its answer was lost, it comes with
    another trigger."""
    origin = origin_of(args, pictures.channel, thread_ts=pictures.thread_ts or pictures.message_ts)
    return replace(origin, idempotency_key=args.body["view"]["id"])


def _chosen(values: dict[str, object], pictures: SourcePictures) -> Source:
    picture = read_picture(values, pictures)
    if picture.mime_type:
        check_picture(picture.mime_type, picture.size)
    return picture.source
