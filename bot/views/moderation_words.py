"""The categories of the API's moderations, in plain words."""

from __future__ import annotations

import re

_MODERATED: dict[str, str] = {
    "harassment": "harassment",
    "harassment/threatening": "threats",
    "hate": "hatred of a group of people",
    "hate/threatening": "threats to a group of people",
    "illicit": "help with something unlawful",
    "illicit/violent": "help with violence or weapons",
    "self-harm": "self-harm",
    "self-harm/intent": "an intention to harm oneself",
    "self-harm/instructions": "ways to harm oneself",
    "sexual": "sexual content",
    "sexual/minors": "sexual content about minors",
    "violence": "violence",
    "violence/graphic": "graphic violence",
    "extremism": "extremism",
    "minors": "the depiction of minors",
    "public-figure": "a real, well-known person",
    "copyright": "somebody else's work or brand",
    "intellectual-property": "somebody else's work or brand",
    "jailbreak": "an attempt to get around its rules",
    "profanity": "profanity",
}
"""The categories of the API's moderations in plain words; others are told as they are."""


def moderation_category(name: str) -> str:
    """A category in plain words. Its spelling varies: `self_harm`, `sexual/minors`, `SelfHarm`."""
    spelled = _spaced(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return _BY_SPACED_NAME.get(spelled, spelled)


def _spaced(name: str) -> str:
    return " ".join(re.split(r"[-_/\s]+", name)).strip()


_BY_SPACED_NAME = {_spaced(name): words for name, words in _MODERATED.items()}
