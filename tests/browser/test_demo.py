"""The demo as a process: what it says, what it leaves behind."""

from __future__ import annotations

import os
import pty
import signal
import socket
from pathlib import Path

import pytest

from tests.browser.demo_process import DemoProcess


async def test_demo_says_what_to_do_starts_its_bot_again_and_ends_cleanly(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path) as demo:
        assert demo.url in demo.output
        assert "/imagine a robot eating pizza on Mars" in demo.output
        assert "placeholder" in demo.output
        os.kill(await demo.bot_pid(), signal.SIGKILL)
        await demo.says("bot: runs again")
        assert "bot: ended with code -9; it is started again in 0.5 s" in demo.output
        bot = await demo.bot_pid()
        assert await demo.stop() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(bot, 0)
    assert not _left_in(tmp_path)
    assert "Traceback" not in demo.output


async def test_interrupted_at_once_it_ends_as_well(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path)
    await demo.launch()
    await demo.bot_pid()
    assert await demo.stop() == 0
    assert "Traceback" not in demo.output


async def test_key_means_openai_and_its_price_once_it_is_chosen(tmp_path: Path) -> None:
    options = ("--backend", "openai")
    async with DemoProcess(tmp_path, *options, OPENAI_API_KEY="sk-not-a-real-one") as demo:
        assert "on your key: about $0.013" in demo.output
        assert "sk-not" not in demo.output


@pytest.mark.parametrize(
    ("typed", "makes", "forked"),
    [("x\np\n", "placeholder backend", False), ("o\n", "on your key", True)],
)
async def test_a_key_is_asked_about_in_the_terminal(
    tmp_path: Path, typed: str, makes: str, forked: bool
) -> None:
    terminal, stdin = pty.openpty()
    demo = DemoProcess(tmp_path, OPENAI_API_KEY="sk-not-a-real-one")
    await demo.launch(stdin=stdin, forked=forked)
    os.close(stdin)
    await demo.says("Choose in the page, or here")
    assert "about $0.013" in demo.output
    os.write(terminal, typed.encode())
    await demo.says(makes)
    assert await demo.stop(signal.SIGTERM) == 0
    os.close(terminal)
    assert "sk-not" not in demo.output


async def test_unasked_nothing_starts_that_costs(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, OPENAI_API_KEY="sk-not-a-real-one") as demo:
        assert "openai or placeholder" in demo.output
        assert "on your key" not in demo.output
        assert await demo.stop() == 0


async def test_a_port_in_use_is_named_with_the_option(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", demo.port))
        taken.listen()
        await demo.launch()
        assert await demo.ended() == 1
    assert f"port {demo.port} is in use" in demo.output
    assert "--port" in demo.output


async def test_only_slack_prints_the_environment_of_the_bot(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, "--only-slack") as demo:
        assert f"export SLACK_API_URL={demo.url}api/" in demo.output
        assert "python -m bot dev" in demo.output
        assert await demo.stop(signal.SIGTERM) == 0


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
