"""Downloads of pictures that people have in Slack.

`files.info` says where a file's bytes are. The download needs the bot's token, which is sent to
Slack's own hosts alone. Needs the scope `files:read`.
"""

from __future__ import annotations

import io
import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from PIL import Image
from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.adapters.imaging import SerialExecutor, TooManyPixels, open_image
from bot.adapters.slack.web_api import call, retry_after, with_retries
from bot.domain.errors import (
    FailureKind,
    GenerationError,
    ImagineError,
    Reason,
    Refusal,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.images import MAX_BYTES, check_picture, told_pixels
from bot.domain.slack_errors import APP, meaning_of
from bot.ports import OnReading

log = logging.getLogger(__name__)

KNOWN_WITHIN = 15.0
"""Seconds that Slack is given to know what a new file is (it takes 1–2)."""
DOWNLOAD_TIMEOUT = ClientTimeout(total=60.0, sock_connect=10.0, sock_read=20.0)
ASK_EVERY = 1.0
_CHUNK = 64 * 1024
_SLACK_DOMAINS = ("slack.com", "slack-gov.com")
_READABLE = ("PNG", "JPEG", "WEBP", "GIF")
_UNAVAILABLE_MODES = {"tombstone", "hidden_by_limit", "external"}
"""Modes of files whose bytes Slack does not give, or does not have."""


class FileNotKnownYet(ImagineError):
    """Slack has a file and does not know yet what it is."""


class SlackFiles:
    """Implements `bot.ports.Files`. `reading` decodes all people's pictures, one at a time."""

    def __init__(
        self, client: AsyncWebClient, session: ClientSession, reading: SerialExecutor | None = None
    ) -> None:
        self._client = client
        self._session = session
        self._reading = reading or SerialExecutor()

    async def fetch(self, file_id: str, on_reading: OnReading | None = None) -> bytes:
        """Raises `SlackUnavailable` when its patience ends: another time it may work."""
        file = await self._file_info(file_id)
        _check_type_and_size(file)
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not is_slack_url(url, self._client.base_url):
            log.warning("a picture is not on Slack's own hosts")
            raise GenerationError(FailureKind.SOURCE_GONE)
        data = await with_retries(partial(self._download, url))
        return await self._reading.run(partial(readable_picture, data), on_reading)

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

    async def _download(self, url: str) -> bytes:
        headers = {"Authorization": f"Bearer {self._client.token}"}
        try:
            async with self._session.get(
                url, headers=headers, allow_redirects=False, timeout=DOWNLOAD_TIMEOUT
            ) as response:
                _check_response(response)
                return await _read(response)
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
        check_picture(str(file["mimetype"]), int(file.get("size") or 0), told_pixels(file))
    except Refusal as refusal:
        unreadable = refusal.reason is Reason.IMAGE_TYPE
        kind = FailureKind.SOURCE_UNREADABLE if unreadable else FailureKind.SOURCE_TOO_LARGE
        raise GenerationError(kind) from None


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


async def _read(response: ClientResponse) -> bytes:
    """The whole body. Raises `GenerationError(SOURCE_TOO_LARGE)` beyond `MAX_BYTES`."""
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise GenerationError(FailureKind.SOURCE_TOO_LARGE)
    return bytes(data)


def readable_picture(data: bytes) -> bytes:
    """The picture as PNG, JPEG or WebP, decoded once as a check; of an animated one the first
    frame. Raises `GenerationError` with `SOURCE_TOO_LARGE` or `SOURCE_UNREADABLE`."""
    try:
        with open_image(data, _READABLE) as image:
            image.load()
            return _to_png(image) if _is_animated(image) else data
    except TooManyPixels:
        raise GenerationError(FailureKind.SOURCE_TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None


def _is_animated(image: Image.Image) -> bool:
    """A GIF counts even with one frame: counting its frames may take long. An MPO does not: it is a
    JPEG, and its other frames are ignored."""
    if image.format == "GIF":
        return True
    return image.format in {"PNG", "WEBP"} and getattr(image, "n_frames", 1) > 1


def _to_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(out, "PNG")
    return out.getvalue()
