"""Who makes the demo's images, and when people are asked before anything is spent."""

from typing import Any

import pytest

from bot.demo.spending import chosen_backend
from bot.domain.errors import ImagineError
from bot.settings import Backend, Settings

KEY = {"openai_api_key": "sk-mine"}
OTHER = {"openai_base_url": "http://localhost:8080/v1"}
DRAWN = Backend.PLACEHOLDER


@pytest.mark.parametrize(
    ("given", "choice", "expected"),
    [
        ({"openai_api_key": ""}, None, DRAWN),
        (KEY, None, None),
        ({**KEY, "image_backend": "images"}, None, None),
        ({**KEY, **OTHER}, None, None),
        (OTHER, None, Backend.RESPONSES),
        (KEY, "placeholder", DRAWN),
        (KEY, "openai", Backend.RESPONSES),
        ({**KEY, "image_backend": "images"}, "openai", Backend.IMAGES),
        (OTHER, "openai", Backend.RESPONSES),
        ({**KEY, "image_backend": "placeholder"}, None, DRAWN),
    ],
)
def test_a_key_is_never_used_unasked(
    given: dict[str, Any], choice: str | None, expected: Backend | None
) -> None:
    chosen = chosen_backend(Settings.model_validate(given), choice)
    assert (chosen.image_backend if chosen else None) is expected


def test_openai_needs_a_key() -> None:
    with pytest.raises(ImagineError, match="OPENAI_API_KEY"):
        chosen_backend(Settings(), "openai")
