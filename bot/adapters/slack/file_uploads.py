"""Files in Slack: each is uploaded unshared, for a message to name, or shared as it is."""

from __future__ import annotations

import io
import logging
from functools import partial
from typing import Any

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.api_errors import retry_after
from bot.adapters.slack.file_readiness import FileReadiness
from bot.adapters.slack.web_api import call, counted, text_in
from bot.domain.attempt import ImageRef
from bot.domain.errors import SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.slack_errors import Meaning, meaning_of
from bot.views.captions import ai_line

log = logging.getLogger(__name__)

_UNKNOWN_ARGUMENT = {"invalid_arguments", "invalid_arg_name", "invalid_array_arg"}
"""Slack's answers to an argument that it does not know."""


class FileUploads:
    """`readiness` is told of each file that a message will name."""

    def __init__(
        self, client: AsyncWebClient, session: ClientSession, readiness: FileReadiness
    ) -> None:
        self._client = client
        self._session = session
        self._readiness = readiness
        self._hints = True

    async def upload(self, data: bytes, filename: str, title: str, **share: str) -> str:
        """Upload a file once and return its id. `title` is plain text (an `alt_txt` would make
        sharing fail). `share` is empty, or the `channel_id` and `thread_ts` to share to.

        A repeated upload is a new file. Nobody sees an unfinished one. Where Slack does not know a
        file whose bytes it was sent, they went astray: they are sent once more.
        """
        try:
            return await self._upload(data, filename, title, **share)
        except SlackRefused as error:
            if error.code != "file_not_found":
                raise
        return await self._upload(data, filename, title, **share)

    async def _upload(self, data: bytes, filename: str, title: str, **share: str) -> str:
        place = await call(
            self._client.files_getUploadURLExternal, filename=filename, length=len(data)
        )
        method = "files.getUploadURLExternal"
        url, file_id = text_in(place, "upload_url", method), text_in(place, "file_id", method)
        await self._send_bytes(url, data)
        await self._complete_upload(file_id, filename, title, share)
        if not share:
            self._readiness.uploaded(file_id)
        return file_id

    async def _send_bytes(self, url: str, data: bytes) -> None:
        try:
            # aiohttp sends a BytesIO in pieces: of bytes it copies all that it cannot send at once
            async with self._session.post(url, data=io.BytesIO(data)) as response:
                status, headers, kind = response.status, response.headers, response.content_type
        except (ClientError, OSError, ValueError) as error:  # ValueError: no address
            raise counted("upload", SlackUnavailable(f"upload: {type(error).__name__}")) from error
        code = f"http_{status}"
        if status == 429:
            raise counted("upload", SlackBusy(retry_after(headers)))
        if status >= 300 and meaning_of(code) is not Meaning.PASSING:
            raise counted("upload", SlackRefused("upload", code))
        if status >= 300 or kind == "text/html":  # a page of a proxy
            raise counted("upload", SlackUnavailable(f"upload: {status} {kind}"))

    async def _complete_upload(
        self, file_id: str, filename: str, title: str, share: dict[str, str]
    ) -> None:
        """`highlight_type` lets Slack show the file before it has processed it. It may be refused
        where it is not known yet; then nothing is completed, and it is left out."""
        file: dict[str, Any] = {"id": file_id, "title": title}
        hint = {"highlight_type": filename.rpartition(".")[2]} if self._hints else {}
        complete = partial(call, self._client.files_completeUploadExternal, **share)
        try:
            await complete(files=[file | hint])
        except SlackRefused as error:
            if not hint or error.code not in _UNKNOWN_ARGUMENT:
                raise
            log.warning("Slack does not take highlight_type (%s): left out", error.code)
            self._hints = False
            await complete(files=[file])


def file_name_and_title(session: Session, image: ImageRef, label: str) -> tuple[str, str]:
    """The file's name, and what Slack shows above a file that stands by itself, and in its list of
    files."""
    candidate = session.attempt(image.attempt).candidate(image.candidate)
    extension = {"image/jpeg": "jpg", "image/gif": "gif"}.get(candidate.mime_type, "png")
    suffix = f"-{image.candidate}" if image.candidate > 1 else ""
    name = f"imagine-attempt-{image.attempt}{suffix}.{extension}"
    return name, f"{name} · {ai_line(label, candidate)}"
