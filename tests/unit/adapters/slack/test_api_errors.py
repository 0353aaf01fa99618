from __future__ import annotations

import pytest

from bot.adapters.slack.api_errors import retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "1e9"}, 3600.0),
        ({}, 1.0),
    ],
)
def test_a_pause_is_between_a_second_and_an_hour(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers) == seconds
