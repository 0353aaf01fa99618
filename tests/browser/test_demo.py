"""The demo as a process: what it says, what it leaves behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.browser.demo_process import DemoProcess


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


async def test_key_means_openai_and_its_price(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, OPENAI_API_KEY="sk-not-a-real-one") as demo:
        assert "on your key: about $0.013" in demo.output
        assert "sk-not" not in demo.output


async def test_only_slack_prints_the_environment_of_the_bot(tmp_path: Path) -> None:
    async with DemoProcess(tmp_path, "--only-slack") as demo:
        assert f"export SLACK_API_URL={demo.url}api/" in demo.output
        assert "python -m bot dev" in demo.output
        assert await demo.stop(signal.SIGTERM) == 0


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
