"""Uploading an image: unshared as the rule, into a thread as the fallback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call, errors_counted, retry_after, with_retries
from bot.domain.errors import SlackBusy, SlackRefused, SlackUnavailable

_PIECE = 256 * 1024
"""Bytes that are handed to the connection at a time: it would copy all that it cannot send at
once."""


class Uploader:
    """Slack's external upload: ask for a URL, post the bytes to it, complete."""

    def __init__(self, client: AsyncWebClient, session: ClientSession) -> None:
        self._client = client
        self._session = session

    async def upload(self, data: bytes, filename: str, title: str, **share: str) -> str:
        """Answer the file id. `title` is plain text (an `alt_txt` would make sharing fail), and
        `share` empty, or the `channel_id` and `thread_ts` to share to.

        A repeated try takes a new file: what is left of an unfinished one, nobody sees.
        """
        return await with_retries(lambda: self.upload_once(data, filename, title, **share))

    async def upload_once(self, data: bytes, filename: str, title: str, **share: str) -> str:
        """The same without patience."""
        place = await call(
            self._client.files_getUploadURLExternal, filename=filename, length=len(data)
        )
        with errors_counted("upload"):
            await self._send(place["upload_url"], data)
        file_id: str = place["file_id"]
        files: list[dict[str, Any]] = [{"id": file_id, "title": title}]
        await call(self._client.files_completeUploadExternal, files=files, **share)
        return file_id

    async def _send(self, url: str, data: bytes) -> None:
        try:
            length = {"Content-Length": str(len(data))}
            async with self._session.post(url, data=_pieces(data), headers=length) as response:
                status, wait = response.status, retry_after(response.headers)
        except (ClientError, OSError) as error:
            raise SlackUnavailable(f"upload: {type(error).__name__}") from error
        if status == 429:
            raise SlackBusy(wait)
        if status >= 500:
            raise SlackUnavailable(f"upload: {status}")
        if status >= 400:
            raise SlackRefused("upload", str(status))


async def _pieces(data: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(data), _PIECE):
        yield view[start : start + _PIECE]
