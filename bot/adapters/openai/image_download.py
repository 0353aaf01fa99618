"""Fetching the image that an answer gives the address of. The address may be anybody's: only the
configured server, or a public address, is asked for it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Any

import httpx2
from openai import DefaultAsyncHttpxClient

from bot.adapters.openai.bounded_answers import (
    ACCEPT_ENCODING,
    LARGEST_IMAGE,
    AnswerTooLarge,
    limit_answers,
)
from bot.domain.failures import FailureKind, GenerationError

logger = logging.getLogger(__name__)

DOWNLOAD_TRIES = 3
"""The image is paid for, so fetching it deserves patience."""
DOWNLOAD_WITHIN = 60.0
"""Seconds for all tries."""
MOST_REDIRECTS = 5

_METADATA = {ipaddress.ip_address("168.63.129.16")}
"""Azure's, which looks like a public address."""
_COMPATIBLE = ipaddress.ip_network("::/96")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class _NotAllowed(Exception):
    """The address is none that may be asked."""


async def download(url: str, server: str) -> bytes:
    """The file at an http(s) address. `server` is the configured one, which may be anywhere. Raises
    `GenerationError(BAD_IMAGE)` where the download fails.

    The request holds no API key.
    """
    try:
        async with asyncio.timeout(DOWNLOAD_WITHIN), _client() as http:
            for number in range(DOWNLOAD_TRIES):
                try:
                    return await _follow(http, httpx2.URL(url), httpx2.URL(server), number)
                except AnswerTooLarge:
                    raise
                except (httpx2.HTTPError, OSError) as error:
                    logger.warning("the image can't be fetched: %s", type(error).__name__)
    except (_NotAllowed, AnswerTooLarge, httpx2.InvalidURL, TimeoutError, ValueError) as error:
        logger.warning("the image is not fetched: %s", error or type(error).__name__)
    raise GenerationError(FailureKind.BAD_IMAGE)


def _client() -> httpx2.AsyncClient:
    return DefaultAsyncHttpxClient(
        timeout=30.0,
        follow_redirects=False,
        headers={"Accept-Encoding": ACCEPT_ENCODING},
        event_hooks={"response": [limit_answers(LARGEST_IMAGE)]},
    )


async def _follow(
    http: httpx2.AsyncClient, url: httpx2.URL, server: httpx2.URL, number: int
) -> bytes:
    """The file, after redirects, each of which is checked. `number` chooses among the addresses of
    a name."""
    for _ in range(MOST_REDIRECTS + 1):
        request = await _request(http, url, server, number)
        response = await http.send(request, stream=True)
        try:
            if not response.has_redirect_location:
                response.raise_for_status()
                return await response.aread()
            url = url.join(response.headers["location"])
        finally:
            await response.aclose()
    raise _NotAllowed("too many redirects")


async def _request(
    http: httpx2.AsyncClient, url: httpx2.URL, server: httpx2.URL, number: int
) -> httpx2.Request:
    """A request for the address that was checked: asked again, the name might have another."""
    if url.scheme not in {"http", "https"} or not url.host:
        raise _NotAllowed("no http(s) address")
    if _origin(url) == _origin(server):
        return http.build_request("GET", url)
    addresses = await public_addresses(url.host, _origin(url)[1])
    if not addresses:
        raise _NotAllowed("the address is not a public one")
    checked = url.copy_with(host=addresses[number % len(addresses)], userinfo=b"")
    return http.build_request(
        "GET",
        checked,
        headers={"Host": url.netloc.decode("ascii").rpartition("@")[2]},
        extensions={"sni_hostname": url.host},
    )


def _origin(url: httpx2.URL) -> tuple[str, int]:
    return url.host, url.port or (443 if url.scheme == "https" else 80)


async def public_addresses(host: str, port: int) -> list[str]:
    """The public addresses among those of a host."""
    loop = asyncio.get_running_loop()
    found: Sequence[Any] = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    told = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [address for address in told if is_public(address)]


def is_public(text: str) -> bool:
    """Whether it is an address of the internet, also where an IPv4 address stands inside an IPv6
    one."""
    if "%" in text:  # a zone of this machine's
        return False
    address = ipaddress.ip_address(text)
    if address.is_multicast or address in _METADATA or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    if address.is_site_local or (address.is_reserved and address not in _NAT64[0]):
        return False
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None,))[0]
    if address in _NAT64[0] or address in _COMPATIBLE:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return is_public(str(inside)) if inside else address not in _NAT64[1]
