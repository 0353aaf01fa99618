"""The demo as a process: what it says, what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.sandbox import PATIENCE
from tests.browser.demo_process import DemoProcess
from tests.support.processes import ROOT, free_port


async def test_demo_says_what_to_do_and_ends_cleanly(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path) as demo:
        assert demo.url in demo.output
        assert "/imagine a robot eating pizza on Mars" in demo.output
        assert "placeholder" in demo.output
        bot = await demo.bot_pid()
        assert await demo.stop() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(bot, 0)
    assert not _left_in(tmp_path)
    assert "Traceback" not in demo.output


async def test_interrupted_at_once_it_ends_as_well(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path) as demo:
        assert await demo.stop() == 0


async def test_key_means_openai_and_its_price_once_it_is_chosen(tmp_path: Path) -> None:
    options = ("--backend", "openai")
    async with DemoProcess(tmp_path, *options, OPENAI_API_KEY="sk-not-a-real-one") as demo:
        assert "on your key: about $0.013" in demo.output
        assert "sk-not" not in demo.output


@pytest.mark.parametrize(
    ("typed", "makes"), [("x\np\n", "placeholder backend"), ("o\n", "on your key")]
)
async def test_a_key_is_asked_about_in_the_terminal(tmp_path: Path, typed: str, makes: str) -> None:
    terminal, stdin = pty.openpty()
    command = [sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(free_port())]
    environment = {**os.environ, "OPENAI_API_KEY": "sk-not-a-real-one", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=environment, stdin=stdin, stdout=PIPE
    )
    os.close(stdin)
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(2 * PATIENCE):
        while "Choose in the page, or here" not in said:
            said += (await process.stdout.readline()).decode()
        assert "about $0.013" in said
        os.write(terminal, typed.encode())
        while makes not in said:
            said += (await process.stdout.readline()).decode()
        process.terminate()
        await process.communicate()
    os.close(terminal)
    assert process.returncode == 0
    assert "sk-not" not in said


async def test_unasked_nothing_starts_that_costs(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, OPENAI_API_KEY="sk-not-a-real-one") as demo:
        assert "openai or placeholder" in demo.output
        assert "on your key" not in demo.output
        assert await demo.stop() == 0


async def test_a_port_in_use_is_named_with_the_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(port)]
        ended = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert f"port {port} is in use" in ended.stderr
    assert "--port" in ended.stderr


async def test_the_terminal_says_that_the_bot_is_started_again(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path) as demo:
        os.kill(await demo.bot_pid(), signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while "bot: runs again" not in demo.output:
                await asyncio.sleep(0.05)
        assert "bot: ended with code -9; it is started again in 0.5 s" in demo.output


async def test_only_slack_prints_the_environment_of_the_bot(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, "--only-slack") as demo:
        assert f"export SLACK_API_URL={demo.url}api/" in demo.output
        assert "python -m bot dev" in demo.output
        assert await demo.stop(signal.SIGTERM) == 0


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
