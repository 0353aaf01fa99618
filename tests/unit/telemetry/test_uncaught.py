"""What nobody caught is logged, without its text."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import warnings

import pytest

from bot.telemetry.uncaught import watch_loop, watch_process
from tests.unit.telemetry.written import Written

PROMPT = "a secret fox"


async def _breaks() -> None:
    raise ValueError(PROMPT)


@pytest.fixture(autouse=True)
def watched(written: Written) -> None:
    written.set_up("DEBUG")
    watch_process()


def assert_told(written: Written, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = capsys.readouterr()
    assert "secret" not in written.text + said.err + said.out
    assert kind in written.text


def test_an_exception_that_ends_the_program(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ValueError(PROMPT)
    sys.excepthook(type(error), error, None)
    assert written.line["level"] == "CRITICAL"
    assert_told(written, "ValueError", capsys)


def test_an_exception_that_ends_a_thread(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_off() -> None:
        raise ValueError(PROMPT)

    thread = threading.Thread(target=break_off, name="worker")
    thread.start()
    thread.join()
    assert_told(written, "ValueError", capsys)


def test_an_exception_in_a_destructor(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError(PROMPT)

    Broken()
    gc.collect()
    assert_told(written, "ValueError", capsys)


def test_a_warning(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        watch_process()
        warnings.simplefilter("always")
        warnings.warn(PROMPT, UserWarning, stacklevel=1)
    assert written.line["level"] == "WARNING"
    assert_told(written, "UserWarning at ", capsys)


async def test_a_task_whose_error_nobody_asks_for(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    watch_loop(asyncio.get_running_loop())
    task = asyncio.create_task(_breaks())
    await asyncio.wait({task})
    del task
    gc.collect()
    assert written.line["message"] == "Task exception was never retrieved _breaks"
    assert_told(written, "ValueError", capsys)


async def test_a_callback_that_breaks(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    def break_off(prompt: str) -> None:
        raise ValueError(prompt)

    loop = asyncio.get_running_loop()
    watch_loop(loop)
    loop.call_soon(break_off, PROMPT)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert written.line["message"].strip() == "Exception in callback"
    assert_told(written, "ValueError", capsys)


async def test_words_of_others_in_a_report_to_the_loop(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.get_running_loop()
    watch_loop(loop)
    loop.call_exception_handler({"message": PROMPT, "client": PROMPT})
    assert_told(written, "The event loop reports", capsys)
