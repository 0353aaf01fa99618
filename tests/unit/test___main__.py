"""The command line."""

from __future__ import annotations

import pytest

from bot.__main__ import main


@pytest.mark.parametrize("typed", ["80000", "65536", "-1", "0", "abc", "9" * 5000, "８７６５", ""])
def test_what_is_no_port_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port={typed}"])
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err
