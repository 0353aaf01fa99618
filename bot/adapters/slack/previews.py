"""Partial images in the thread while the model works. Each is tried once, and deleted later."""

from __future__ import annotations

import logging
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.file_uploads import FileUploads
from bot.adapters.slack.message_poster import MessagePoster
from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackAppBlocked, SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.views import messages
from bot.views.blocks import marker

log = logging.getLogger(__name__)

READY_WITHIN = 4.0
"""Seconds that Slack is given to know a preview's file; after that a newer preview may exist."""


class Previews:
    """Posts and deletes previews. `_files` holds the file id of each preview that this process has
    posted, by its `ts`."""

    def __init__(
        self, client: AsyncWebClient, poster: MessagePoster, uploads: FileUploads, ai_label: str
    ) -> None:
        self._client = client
        self._poster = poster
        self._uploads = uploads
        self._ai_label = ai_label
        self._files: dict[str, str] = {}

    async def post(self, session: Session, number: int, data: bytes) -> str:
        """Raises `SlackBusy` at once, and `ImageNotReady` soon."""
        name = f"imagine-preview-{number}.png"
        title = f"{name} · {self._ai_label}"
        file_id = await self._uploads.upload(data, name, title)
        message = messages.preview_message(session, number, file_id, label=self._ai_label)
        try:
            ts = await self._poster.post_once_ready(session, message, READY_WITHIN)
        except (SlackBusy, SlackRefused, SlackAppBlocked):  # it was not posted
            await self._delete_file(file_id)
            raise
        self._files[ts] = file_id
        return ts

    async def remove(self, session: Session, number: int, ts: str) -> None:
        marked = marker(session, "preview", number)
        since = session.attempt(number).started_at
        for message in await self._poster.posted.remove(session, marked, ts, since):
            known = self._files.pop(str(message["ts"]), "")
            for file_id in [known] if known else _file_ids(message):
                await self._delete_file(file_id)

    async def _delete_file(self, file_id: str) -> None:
        """Delete the file of a deleted message. A failure is logged: nobody sees the file."""
        try:
            await call(self._client.files_delete, file=file_id)
        except (SlackRefused, SlackUnavailable) as error:
            log.info("a preview's file could not be deleted: %s", error)


def _file_ids(message: dict[str, Any]) -> list[str]:
    blocks = [block for block in message.get("blocks") or [] if isinstance(block, dict)]
    files = [block.get("slack_file") or {} for block in blocks]
    return [str(file["id"]) for file in files if "id" in file]
