"""Downloads of pictures that people have in Slack, and of the images that were uploaded there.

`files.info` says where a file's bytes are. The download needs the bot's token, which is sent to
Slack's own hosts alone. Needs the scope `files:read`. A person's picture is decoded in a child
process (`bot.adapters.pictures`); an image of ours comes as it is.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.adapters.pictures import PictureReader
from bot.adapters.slack.api_errors import retry_after
from bot.adapters.slack.web_api import call, with_retries
from bot.domain.errors import ImagineError, SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import (
    MAX_BYTES,
    BaseImage,
    check_picture,
    declared_pixels,
    told_size,
    told_type,
)
from bot.domain.refusals import Reason, Refusal
from bot.domain.slack_errors import APP, meaning_of
from bot.ports import OnReading

log = logging.getLogger(__name__)

KNOWN_WITHIN = 15.0
"""Seconds that Slack is given to know what a new file is (it takes 1–2)."""
DOWNLOAD_TIMEOUT = ClientTimeout(total=60.0, sock_connect=10.0, sock_read=20.0)
ASK_EVERY = 1.0
_CHUNK = 64 * 1024
_SLACK_DOMAINS = ("slack.com", "slack-gov.com")
_OUR_MAX_BYTES = 32 * 1024 * 1024
"""Of an image of ours: a provider's may be 30 MiB, and is marked then."""
_SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
}
"""The types that are uploaded, and how their files begin."""
_AT_ONCE = 3
"""Files in memory at a time: one is read, others come meanwhile."""
_UNAVAILABLE_MODES = {"tombstone", "hidden_by_limit", "external"}
"""Modes of files whose bytes Slack does not give, or does not have."""

_KINDS = {
    Reason.IMAGE_TYPE: FailureKind.SOURCE_TYPE,
    Reason.IMAGE_TOO_LARGE: FailureKind.SOURCE_TOO_LARGE,
    Reason.IMAGE_TOO_MANY_PIXELS: FailureKind.SOURCE_TOO_MANY_PIXELS,
}


class FileNotKnownYet(ImagineError):
    """Slack has a file and does not know yet what it is."""


class SlackFiles:
    """Implements `bot.ports.Files`. `reader` reads all people's pictures, one at a time."""

    def __init__(
        self, client: AsyncWebClient, session: ClientSession, reader: PictureReader
    ) -> None:
        self._client = client
        self._session = session
        self._reader = reader
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        """Raises `SlackUnavailable` when its patience ends: another time it may work."""
        file = await self._file_info(file_id)
        _check_type_and_size(file)
        async with self._room:
            data = await with_retries(partial(self._download, self._address(file), MAX_BYTES))
            return await self._reader.read(data, on_reading)

    async def download(self, file_id: str) -> bytes:
        """Raises `SlackUnavailable` when its patience ends: another time it may work."""
        file = await self._file_info(file_id)
        if told_type(file) not in _SIGNATURES:
            raise GenerationError(FailureKind.SOURCE_TYPE)
        async with self._room:
            data = await with_retries(partial(self._download, self._address(file), _OUR_MAX_BYTES))
        if not data.startswith(tuple(_SIGNATURES.values())):
            log.warning("a file is not the image that Slack says it is")
            raise GenerationError(FailureKind.SOURCE_TYPE)
        return bytes(data)

    def _address(self, file: dict[str, Any]) -> str:
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not is_slack_url(url, self._client.base_url):
            log.warning("a picture is not on Slack's own hosts")
            raise GenerationError(FailureKind.SOURCE_GONE)
        return url

    async def _file_info(self, file_id: str) -> dict[str, Any]:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(FileNotKnownYet),
            wait=wait_fixed(ASK_EVERY),
            stop=stop_after_delay(KNOWN_WITHIN),
            reraise=True,
        )
        try:
            return await retrying(with_retries, partial(self._file_info_once, file_id))
        except FileNotKnownYet:
            raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None

    async def _file_info_once(self, file_id: str) -> dict[str, Any]:
        try:
            answer = await call(self._client.files_info, file=file_id)
        except SlackRefused as error:
            log.warning("a picture cannot be had: %s", error)
            denied = meaning_of(error.code) in APP
            kind = FailureKind.APP_REFUSED if denied else FailureKind.SOURCE_GONE
            raise GenerationError(kind) from None
        told = answer.get("file")
        file: dict[str, Any] = told if isinstance(told, dict) else {}
        if file.get("mode") in _UNAVAILABLE_MODES or file.get("is_external") or file.get("deleted"):
            raise GenerationError(FailureKind.SOURCE_GONE)
        if not file.get("mimetype"):
            raise FileNotKnownYet
        return file

    async def _download(self, url: str, most: int) -> bytearray:
        headers = {"Authorization": f"Bearer {self._client.token}"}
        try:
            async with self._session.get(
                url, headers=headers, allow_redirects=False, timeout=DOWNLOAD_TIMEOUT
            ) as response:
                _check_response(response)
                return await _read(response, most)
        except (ClientError, OSError) as error:  # OSError: TimeoutError is one
            raise SlackUnavailable(f"download: {type(error).__name__}") from error


def is_slack_url(url: str, api_url: str) -> bool:
    """Whether the token may be sent to this address: its host belongs to the Slack of the API."""
    try:
        file, api = urlsplit(url), urlsplit(api_url)
        if "\\" in url or "@" in file.netloc:
            return False
        for domain in _SLACK_DOMAINS:
            if _is_in(api.hostname, domain):
                return file.scheme == "https" and not file.port and _is_in(file.hostname, domain)
    except ValueError:
        return False
    return bool(file.netloc) and (file.scheme, file.netloc) == (api.scheme, api.netloc)


def _is_in(host: str | None, domain: str) -> bool:
    return host == domain or (host or "").endswith(f".{domain}")


def _check_type_and_size(file: dict[str, Any]) -> None:
    try:
        check_picture(told_type(file), told_size(file), declared_pixels(file))
    except Refusal as refusal:
        raise GenerationError(_KINDS[refusal.reason]) from None


def _check_response(response: ClientResponse) -> None:
    """Raises unless the answer is the file. Without access Slack answers with its login page, or
    redirects to it."""
    status = response.status
    if status == 429:
        raise SlackBusy(retry_after(response.headers))
    if status >= 500 or status == 408:
        raise SlackUnavailable(f"download: {status}")
    if status != 200 or response.content_type == "text/html":
        log.warning("a picture cannot be had: %s %s", status, response.content_type)
        raise GenerationError(FailureKind.SOURCE_GONE)


async def _read(response: ClientResponse, most: int) -> bytearray:
    """The whole body. Raises `GenerationError(SOURCE_TOO_LARGE)` beyond `most` bytes."""
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > most:
            raise GenerationError(FailureKind.SOURCE_TOO_LARGE)
    return data
