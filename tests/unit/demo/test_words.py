"""Who makes the demo's images, in the words of the terminal."""

from typing import Any

import pytest

from bot.demo.words import PLACEHOLDER_IMAGES, PRICE, images
from bot.settings import Settings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"image_backend": "placeholder"}, PLACEHOLDER_IMAGES),
        ({"image_backend": "placeholder"}, "Set OPENAI_API_KEY for real ones."),
        (
            {"image_backend": "placeholder", "openai_api_key": "sk-mine"},
            "Start it again with --backend openai for real ones.",
        ),
        ({"openai_api_key": "sk-mine"}, PRICE),
        ({"openai_base_url": "http://localhost:8080/v1"}, "at http://localhost:8080/v1."),
    ],
)
def test_terminal_names_who_makes_the_images(given: dict[str, Any], told: str) -> None:
    assert told in images(Settings.model_validate(given))
