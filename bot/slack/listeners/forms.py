"""The forms that are submitted. One delivered twice counts once."""

from __future__ import annotations

from dataclasses import replace

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import Source
from bot.domain.errors import Reason, Refusal
from bot.domain.pictures import check_picture
from bot.domain.session import Session
from bot.service import Place
from bot.slack.listeners.dependencies import Desk
from bot.slack.requests import form_target, form_text, form_values, person_of, place_of
from bot.slack.responders import FormAnswer, answering, in_time
from bot.views import words
from bot.views.forms import read_options, read_picture
from bot.views.source_pictures import Brought


class Forms:
    """What will not do is said below its field, and what was typed stays."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._direction = desk.direction

    async def prompt_submitted(self, args: AsyncArgs) -> None:
        """The form of a new session."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            view, person = args.body["view"], person_of(args)
            target, options = form_target(view), read_options(form_values(view), self._qualities)
            submitting = self._direction.submit(target.session_id, person, form_text(view), options)
            session, old = await in_time(submitting)
            await self._kept(args, session)
            if old is not None:
                await self._desk.queue_owed(old)

    async def edit_submitted(self, args: AsyncArgs) -> None:
        """The form that edits an attempt's prompt and options."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            view = args.body["view"]
            target, options = form_target(view), read_options(form_values(view), self._qualities)
            session = await in_time(
                self._direction.edit(
                    target.session_id,
                    target.attempt,
                    person_of(args),
                    form_text(view),
                    options,
                    asked_by=view["id"],
                )
            )
            await self._kept(args, session)

    async def refine_submitted(self, args: AsyncArgs) -> None:
        """The form that says what should change about an image."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            view = args.body["view"]
            target = form_target(view)
            session = await in_time(
                self._direction.refine(
                    target.session_id,
                    target.image,
                    person_of(args),
                    form_text(view),
                    asked_by=view["id"],
                )
            )
            await self._kept(args, session)

    async def image_submitted(self, args: AsyncArgs) -> None:
        """The form that starts a session from a picture, in the thread of its message."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            view = args.body["view"]
            brought = Brought.from_metadata(view.get("private_metadata") or "")
            if brought is None:
                raise Refusal(Reason.EXPIRED)
            values = form_values(view)
            options = read_options(values, self._qualities)
            place, source = _thread_of(args, brought), _chosen(values, brought)
            starting = self._direction.start(place, form_text(view), source, options)
            await self._kept(args, await in_time(starting))

    @property
    def _qualities(self) -> tuple[str, ...]:
        return self._direction.qualities

    async def _kept(self, args: AsyncArgs, session: Session) -> None:
        await args.ack()
        await self._desk.queue_owed(session)


def _thread_of(args: AsyncArgs, brought: Brought) -> Place:
    """One form starts one session: pressed once more, because its answer was lost, it comes with
    another trigger."""
    place = place_of(args, brought.channel, thread_ts=brought.thread_ts or brought.message_ts)
    return replace(place, seed=args.body["view"]["id"])


def _chosen(values: dict[str, object], brought: Brought) -> Source:
    picture = read_picture(values, brought)
    if picture.mime_type:
        check_picture(picture.mime_type, picture.size)
    return picture.source
