"""The form of a log line, and what never gets into one."""

from __future__ import annotations

import datetime
import io
import json
import logging

import pytest

from bot.telemetry.context import log_context, prompt_fields
from bot.telemetry.logs import LogFormat, set_up
from tests.unit.telemetry.written import Written

PROMPT = "a secret fox"
FORMATS = [LogFormat.JSON, LogFormat.TEXT]

log = logging.getLogger("bot.flow.images")


def draw(known: dict[str, str]) -> str:
    """Fails as code does: one exception causes another, and both quote what somebody typed."""
    try:
        return known[PROMPT]
    except KeyError as error:
        raise ValueError(f"cannot draw {PROMPT}") from error


def test_a_line_is_one_json_object_with_its_context(written: Written) -> None:
    written.set_up()
    with log_context("T1.U1.abcd", attempt=2, candidate=1, job="generate-T1.U1.abcd-2-0"):
        log.info("image %s", "recorded", extra={"bytes": 17, "seconds": 1.5})
    line = written.line
    timestamp = datetime.datetime.fromisoformat(line.pop("timestamp"))
    assert timestamp.utcoffset() == datetime.timedelta(0)
    assert line == {
        "level": "INFO",
        "logger": "bot.flow.images",
        "message": "image recorded",
        "session": "abcd",
        "owner": "T1.U1",
        "attempt": 2,
        "candidate": 1,
        "job": "generate-T1.U1.abcd-2-0",
        "bytes": 17,
        "seconds": 1.5,
    }


def test_text_shows_session_attempt_and_facts(written: Written) -> None:
    written.set_up(log_format=LogFormat.TEXT)
    with log_context("T1.U1.abcd", attempt=2, candidate=1):
        log.info("image recorded", extra={"bytes": 17})
    log.info("ready")
    one, two = written.text.splitlines()
    said = "[abcd, image 1 of attempt 2] image recorded bytes=17"
    assert one.endswith(f" INFO    bot.flow.images: {said}")
    assert two.endswith(" INFO    bot.flow.images: ready")


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_line_stays_one_line(written: Written, log_format: LogFormat) -> None:
    written.set_up(log_format=log_format)
    log.info("one\ntwo\r\x1b[31m three\x85", extra={"odd": "four\nfive \udc80"})
    assert len(written.text.splitlines()) == 1
    assert "\x1b" not in written.text


@pytest.mark.parametrize(("terminal", "as_json"), [(True, False), (False, True)])
def test_auto_is_text_on_a_terminal_and_json_elsewhere(
    written: Written, monkeypatch: pytest.MonkeyPatch, terminal: bool, as_json: bool
) -> None:
    monkeypatch.setattr(written.stream, "isatty", lambda: terminal)
    written.set_up(log_format=LogFormat.AUTO)
    log.info("ready")
    assert written.text.startswith("{") is as_json


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("logger", ["bot.flow", "aiohttp.server", "root"])
def test_the_text_of_an_exception_is_never_written(
    written: Written, logger: str, log_format: LogFormat, level: str
) -> None:
    written.set_up(level, log_format)
    try:
        draw({})
    except ValueError:
        logging.getLogger(logger).exception("it broke")
    assert "secret" not in written.text
    assert "ValueError from KeyError" in written.text
    placed = "test_logs.py:" in written.text.partition("ValueError from KeyError")[2]
    assert placed is (level == "DEBUG")


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_library_is_told_by_its_place_and_not_by_its_words(
    written: Written, log_format: LogFormat
) -> None:
    written.set_up(log_format=log_format)
    other = logging.getLogger("some.library")
    other.warning("a body: %s", PROMPT, extra={"body": PROMPT}, stack_info=True)
    assert "secret" not in written.text
    assert "some.library" in written.text
    assert "test_a_library_is_told" in written.text


def test_what_a_library_opens_up_stays_closed(written: Written) -> None:
    """As `OPENAI_LOG=debug` does: a handler and a level of its own."""
    own = io.StringIO()
    logging.getLogger().handlers = [logging.StreamHandler(own)]
    other = logging.getLogger("openai")
    other.setLevel(logging.DEBUG)
    try:
        written.set_up("DEBUG")
        other.debug("request: %s", PROMPT)
        other.info("request: %s", PROMPT)
    finally:
        other.setLevel(logging.NOTSET)
    assert (written.text, own.getvalue()) == ("", "")


def test_a_line_that_cannot_be_formatted_does_not_show_its_arguments(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    written.set_up()
    log.info("%d images", PROMPT)
    assert "could not be written" in written.line["message"]
    said = capsys.readouterr()
    assert "secret" not in written.text + said.err + said.out


def test_a_reader_that_has_gone_disturbs_nobody(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    set_up("INFO", LogFormat.JSON, stream=Gone())
    log.info("ready")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("log_format", FORMATS)
def test_what_people_typed_is_logged_only_if_asked_for(
    written: Written, log_format: LogFormat
) -> None:
    written.set_up(log_format=log_format)
    log.info("generating", extra=prompt_fields(prompt=PROMPT, change=""))
    assert "secret" not in written.text
    written.set_up(log_format=log_format, prompts=True)
    log.info("generating", extra=prompt_fields(prompt=PROMPT, change=""))
    newest = written.text.splitlines()[-1]
    if log_format is LogFormat.JSON:
        assert json.loads(newest)["prompt"] == PROMPT
    assert newest.count(PROMPT) == 1
    assert "change" not in newest


def test_only_our_own_loggers_follow_the_level(written: Written) -> None:
    written.set_up("WARNING")
    log.info("quiet")
    logging.getLogger("botany").warning("not ours")
    assert written.line["logger"] == "botany"
    assert "not ours" not in written.text
