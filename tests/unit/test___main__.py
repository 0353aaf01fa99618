"""The command line."""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from bot.__main__ import main


@pytest.fixture
def image(tmp_path: Path) -> str:
    path, data = tmp_path / "image.png", io.BytesIO()
    Image.new("RGB", (1, 1)).save(data, "PNG")
    path.write_bytes(data.getvalue())
    return str(path)


def test_a_reader_who_has_enough_of_a_report_ends_it_without_words(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["inspect", image]) == 128 + signal.SIGPIPE
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_disk_without_room_for_a_report_is_told(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(OSError), Path("/dev/full").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["inspect", image]) == 1
    said = capsys.readouterr().err
    assert said == "imagine-bot: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("typed", ["80000", "65536", "-1", "0", "abc", "9" * 5000, "８７６５", ""])
def test_what_is_no_port_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port={typed}"])
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err
