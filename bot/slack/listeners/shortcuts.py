"""The message shortcut "Direct this image"."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.errors import Reason, Refusal
from bot.slack.listening import (
    ListenerDependencies,
    acting_of,
    error_boundary,
    open_form,
    within_ack_deadline,
)
from bot.slack.message_lookup import MessageLookup
from bot.slack.responders import ShortcutResponder
from bot.views.forms import image_form
from bot.views.source_pictures import SourcePictures


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
            acting = acting_of(args)
            defaults = await within_ack_deadline(
                services.new_sessions.defaults(acting.team, acting.owner)
            )
            await open_form(args, image_form(pictures, defaults, services.option_table))

    async def _pictures(self, args: AsyncArgs) -> SourcePictures:
        body, message = args.body, args.body["message"]
        found = await self._lookup.of_message(args.client, message)
        if not found.pictures:
            raise found.refusal or Refusal(Reason.NO_IMAGE_THERE)
        if not self._dependencies.identity.may("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        channel = body["channel"]["id"]
        if message.get("subtype") == "thread_broadcast":  # its thread may well be closed
            return SourcePictures(channel, "", "", found.pictures)
        thread_ts = message.get("thread_ts") or ""
        return SourcePictures(channel, thread_ts, message["ts"], found.pictures)
