"""Which addresses the image of an answer may be fetched from."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx2
import pytest

from bot.adapters.openai import image_download
from bot.adapters.openai.image_download import download, is_public
from bot.domain.failures import FailureKind, GenerationError

SERVER = "http://images.example:8080/v1/"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255",
        "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "100.64.0.1",
        "168.63.129.16", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "::ffff:10.0.0.1", "::127.0.0.1", "::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136::63bf:f5ff:fffe",
        "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_an_address_that_is_public(address: str) -> None:
    assert is_public(address)


class World:
    """Names and what answers at their addresses, without a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[str]] = {}
        self.lookups: list[str] = []
        self.asked: list[httpx2.Request] = []
        self.answers: dict[str, httpx2.Response] = {}
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", self._look_up)
        monkeypatch.setattr(image_download, "_client", self._client)

    async def _look_up(self, host: str, port: int, **kinds: Any) -> list[Any]:
        self.lookups.append(host)
        if host not in self.names:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, port)) for address in self.names[host]]

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self.answers.get(request.url.path, httpx2.Response(200, content=b"image"))


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def refused(url: str) -> bool:
    with pytest.raises(GenerationError) as caught:
        await download(url, SERVER)
    return caught.value.kind is FailureKind.BAD_IMAGE


async def test_the_address_that_was_checked_is_the_one_that_is_asked(world: World) -> None:
    world.names["cdn.example"] = ["10.0.0.1", "8.8.8.8"]
    assert await download("https://me:secret@cdn.example/a.png?sig=1", SERVER) == b"image"
    (request,) = world.asked
    assert world.lookups == ["cdn.example"]
    assert str(request.url) == "https://8.8.8.8/a.png?sig=1"
    assert request.headers["host"] == "cdn.example"
    assert request.extensions["sni_hostname"] == "cdn.example"
    assert "authorization" not in request.headers


async def test_a_public_address_in_ipv6(world: World) -> None:
    world.names["cdn.example"] = ["2606:4700::1111"]
    assert await download("http://cdn.example:8000/a.png", SERVER) == b"image"
    assert str(world.asked[0].url) == "http://[2606:4700::1111]:8000/a.png"
    assert world.asked[0].headers["host"] == "cdn.example:8000"


async def test_the_configured_server_may_be_anywhere(world: World) -> None:
    assert await download("http://images.example:8080/files/a.png", SERVER) == b"image"
    assert world.lookups == []
    assert world.asked[0].url.host == "images.example"


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://inside.example/a.png", ["10.0.0.1"]),
        ("http://inside.example/a.png", ["127.0.0.1", "::1", "fd00::1"]),
        ("http://images.example:6379/a.png", ["192.168.0.9"]),
        ("https://images.example/a.png", ["192.168.0.9"]),
        ("http://127.0.0.1/a.png", ["127.0.0.1"]),
        ("http://2130706433/a.png", ["127.0.0.1"]),
        ("http://0x7f.1/a.png", ["127.0.0.1"]),
        ("http://[::ffff:169.254.169.254]/latest", ["::ffff:169.254.169.254"]),
        ("http://metadata.google.internal/", ["169.254.169.254"]),
        ("http://nowhere.example/a.png", []),
        ("file:///etc/passwd", []),
        ("gopher://inside.example/", []),
        ("ftp://inside.example/a.png", []),
        ("http:///a.png", []),
    ],
)
async def test_nothing_else_is_asked(world: World, url: str, addresses: list[str]) -> None:
    world.names[httpx2.URL(url).host] = addresses
    assert await refused(url)
    assert world.asked == []


def redirect(location: str, status: int = 302) -> httpx2.Response:
    return httpx2.Response(status, headers={"location": location})


async def test_a_redirect_is_followed_to_public_places(world: World) -> None:
    world.names |= {"cdn.example": ["8.8.8.8"], "other.example": ["1.1.1.1"]}
    world.answers["/a"] = redirect("https://other.example/b", 307)
    world.answers["/b"] = redirect("/c", 301)
    assert await download("http://cdn.example/a", SERVER) == b"image"
    assert [str(request.url) for request in world.asked] == [
        "http://8.8.8.8/a",
        "https://1.1.1.1/b",
        "https://1.1.1.1/c",
    ]


@pytest.mark.parametrize(
    "location",
    [
        "http://inside.example/",
        "http://169.254.169.254/latest/meta-data",
        "//inside.example/x",
        "file:///etc/passwd",
        "http://images.example:6379/",
    ],
)
@pytest.mark.parametrize("start", ["http://cdn.example/a", "http://images.example:8080/a"])
async def test_a_redirect_to_another_place_is_not(world: World, location: str, start: str) -> None:
    world.names |= {
        "cdn.example": ["8.8.8.8"],
        "inside.example": ["10.0.0.1"],
        "images.example": ["10.0.0.2"],
        "169.254.169.254": ["169.254.169.254"],
    }
    world.answers["/a"] = redirect(location)
    assert await refused(start)
    assert len(world.asked) == 1


async def test_redirects_come_to_an_end(world: World) -> None:
    world.names["cdn.example"] = ["8.8.8.8"]
    world.answers["/a"] = redirect("/a")
    assert await refused("http://cdn.example/a")
    assert len(world.asked) == image_download.MOST_REDIRECTS + 1


async def test_another_address_is_tried_where_one_does_not_answer(world: World) -> None:
    world.names["cdn.example"] = ["8.8.8.8", "1.1.1.1"]
    world.answers["/a"] = httpx2.Response(503)
    assert await refused("http://cdn.example/a")
    assert [request.url.host for request in world.asked] == ["8.8.8.8", "1.1.1.1", "8.8.8.8"]


async def test_it_takes_no_longer_than_it_may(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*args: Any, **kinds: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    monkeypatch.setattr(image_download, "DOWNLOAD_WITHIN", 0.02)
    assert await refused("http://cdn.example/a")
