"""Fetching an image that a provider answered as an address."""

from __future__ import annotations

import logging

import httpx2
from openai import DefaultAsyncHttpxClient

from bot.domain.errors import FailureKind, GenerationError

logger = logging.getLogger(__name__)

MAX_BYTES = 30 * 2**20
TRIES = 3
"""The image is paid for, so fetching it deserves patience."""


async def download(url: str) -> bytes:
    """The file at an http(s) address. Raises `GenerationError(BAD_IMAGE)` where it can't be had.

    The API key stays here: the address may be anybody's.
    """
    async with DefaultAsyncHttpxClient(timeout=30.0) as http:
        for _ in range(TRIES):
            try:
                return await _read(http, url)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                logger.warning("the image can't be fetched: %s", type(error).__name__)
    raise GenerationError(FailureKind.BAD_IMAGE)


async def _read(http: httpx2.AsyncClient, url: str) -> bytes:
    data = bytearray()
    async with http.stream("GET", url) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > MAX_BYTES:
                raise GenerationError(FailureKind.BAD_IMAGE)
    return bytes(data)
