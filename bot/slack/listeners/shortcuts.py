"""The message shortcut "Direct this image"."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.errors import Reason, Refusal
from bot.slack.listeners.dependencies import Desk, open_form
from bot.slack.message_pictures import pictures_of
from bot.slack.requests import Payload, acting_of
from bot.slack.responders import ShortcutAnswer, answering, in_time
from bot.views.forms import image_form
from bot.views.source_pictures import Brought


class Shortcuts:
    """Whether a picture will do is said before anything is paid for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def direct_image(self, args: AsyncArgs) -> None:
        """Open the form that starts a session from a picture of the message."""
        async with answering(ShortcutAnswer(args)):
            direction = self._desk.direction
            brought = self._brought(args.body)
            acting = acting_of(args)
            defaults = await in_time(direction.defaults(acting.team, acting.owner))
            await open_form(args, image_form(brought, defaults, direction.qualities))

    def _brought(self, body: Payload) -> Brought:
        message = body["message"]
        found = pictures_of(message)
        if not found.pictures:
            raise found.refusal or Refusal(Reason.NO_IMAGE_THERE)
        if not self._desk.identity.may("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        channel = body["channel"]["id"]
        if message.get("subtype") == "thread_broadcast":  # its thread may well be closed
            return Brought(channel, "", "", found.pictures)
        thread_ts = message.get("thread_ts") or ""
        return Brought(channel, thread_ts, message["ts"], found.pictures)
