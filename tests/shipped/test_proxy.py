"""The proxies' configurations in docs/proxy, with the real programs before the real server."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
from slack_bolt.async_app import AsyncApp

from bot.ops.connections import ConnectionLimits
from bot.ops.serving import HttpServer, Monitoring
from tests.support.http import routes_for
from tests.support.processes import free_port

CONFIGURATIONS = Path(__file__).parents[2] / "docs" / "proxy"
LATE = 20.0
"""Seconds that a busy machine may add."""
REQUEST = b"POST /slack/events HTTP/1.1\r\nHost: bot.example.com\r\n"
HALF_HEADERS = [b"", REQUEST[:20], REQUEST + b"X-A: "]
HALF_BODIES = [REQUEST + b"Content-Length: 99\r\n\r\n", REQUEST + b"Content-Length: 99\r\n\r\nab"]

Command = tuple[list[str], list[str]]
"""The one that checks a configuration, and the one that runs it."""


def nginx(folder: Path, port: int, webs: int) -> Command:
    config = (CONFIGURATIONS / "nginx.conf").read_text("utf-8")
    config = config.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    config = config.replace("/etc/ssl/imagine-bot/", f"{folder}/")
    config = re.sub(r"127\.0\.0\.1:300\d", f"127.0.0.1:{webs}", config)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
    main += f"http {{ access_log off;\n{temporary}{config} }}"
    (folder / "nginx.conf").write_text(main, "utf-8")
    command = ["nginx", "-p", str(folder), "-e", f"{folder}/log", "-c", f"{folder}/nginx.conf"]
    return [*command, "-t"], command


def caddy(folder: Path, port: int, webs: int) -> Command:
    config = (CONFIGURATIONS / "Caddyfile").read_text("utf-8")
    tls = f"tls {folder}/cert.pem {folder}/key.pem"
    config = config.replace("bot.example.com {", f"https://127.0.0.1:{port} {{\n\t{tls}")
    quiet = f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}/data"
    config = re.sub(r"^\{", lambda _: quiet, config, count=1, flags=re.M)
    config = re.sub(r"127\.0\.0\.1:300\d", f"127.0.0.1:{webs}", config)
    file = folder / "Caddyfile"
    file.write_text(config, "utf-8")
    options = ["--config", str(file), "--adapter", "caddyfile"]
    return ["caddy", "validate", *options], ["caddy", "run", *options]


class Proxied:
    """A proxy before the server, as the world sees it."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._port, self._trust = port, trust

    async def ask(self, method: str, path: str, data: io.BytesIO | None = None) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, f"https://127.0.0.1:{self._port}{path}", data=data, ssl=self._trust
            ) as response,
        ):
            return response.status

    async def until_cut(self, sent: bytes) -> bytes:
        """What is said to a client that sends this and no more."""
        async with asyncio.timeout(LATE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._trust)
            writer.write(sent)
            try:
                return await reader.read()
            except (ConnectionError, ssl.SSLError):
                return b""
            finally:
                writer.close()


@asynccontextmanager
async def proxied(
    folder: Path, configure: Callable[[Path, int, int], Command]
) -> AsyncIterator[Proxied]:
    routes = routes_for(AsyncApp(token="xoxb-1", signing_secret="s"), "s")
    routes += Monitoring(_ping, asyncio.Event()).routes()
    webs = HttpServer(routes, 0, "127.0.0.1", limits=ConnectionLimits(request_within=LATE))
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for part in certificate.cert_chain_pems:
        part.write_to_path(str(folder / "cert.pem"), append=True)
    checking, running = configure(folder, port, await webs.start())
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with (folder / "output").open("w") as output:
        checked = await asyncio.create_subprocess_exec(*checking, stdout=output, stderr=output)
        assert await checked.wait() == 0, (folder / "output").read_text()
        process = await asyncio.create_subprocess_exec(*running, stdout=output, stderr=output)
    try:
        await _listening(port)
        yield Proxied(port, trust)
    finally:
        process.terminate()
        await process.wait()
        await webs.stop()


async def _ping() -> None:
    return


async def _listening(port: int) -> None:
    async with asyncio.timeout(LATE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@pytest.mark.parametrize("configure", [nginx, caddy])
async def test_a_proxy_passes_slacks_path_alone_and_cuts_slow_clients(
    tmp_path: Path, configure: Callable[[Path, int, int], Command]
) -> None:
    if shutil.which(configure.__name__) is None:
        pytest.skip(f"{configure.__name__} is not installed")
    async with proxied(tmp_path, configure) as proxy:
        assert (
            await proxy.ask("POST", "/slack/events", io.BytesIO(b"not signed")) == 401
        )  # the bot's answer
        assert await proxy.ask("GET", "/slack/events") in {403, 404}
        for path in ("/metrics", "/healthz", "/readyz", "/", "/slack/events/more"):
            assert await proxy.ask("GET", path) == 404
            assert await proxy.ask("POST", path, io.BytesIO(b"a")) == 404
        large = io.BytesIO(bytes(2 * 2**20))
        assert await proxy.ask("POST", "/slack/events", large) in {413, 502}  # Caddy 2.6: 502
        said = await asyncio.gather(*map(proxy.until_cut, [*HALF_HEADERS, *HALF_BODIES]))
        for answer in said[: len(HALF_HEADERS)]:
            assert b" 200 " not in answer
