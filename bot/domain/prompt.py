"""What a person typed, made fit to keep and to send, or refused with a reason."""

from __future__ import annotations

import unicodedata

from bot.domain.errors import Reason, Refusal

MAX_PROMPT = 32_000
"""Characters; the limit that OpenAI documents for an image prompt."""
MAX_TYPED = 40_000
"""Characters; what Slack lets a message hold, escaped: a prompt of `MAX_PROMPT` and its options."""

_KEPT_CONTROLS = {"\n", "\t"}
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}


def check_length(text: str) -> str:
    """The text, if it is short enough to be parsed at all. Raises `Refusal(PROMPT_TOO_LONG)`."""
    if len(text) > MAX_TYPED:
        raise Refusal(Reason.PROMPT_TOO_LONG)
    return text


def clean_prompt(text: str) -> str:
    """Normalise newlines, and drop what no one typed on purpose: control characters, lone
    surrogates and outer white space. Raises `Refusal` for an empty or an over-long prompt.
    """
    text = check_length(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in {"Cc", "Cs"})
    prompt = "".join(kept).strip()
    if all(unicodedata.category(c) in _INVISIBLE for c in prompt):
        raise Refusal(Reason.EMPTY_PROMPT)
    if len(prompt) > MAX_PROMPT:
        raise Refusal(Reason.PROMPT_TOO_LONG)
    return prompt


def clean_change(text: str) -> str:
    """What should be different about an image, made fit like a prompt, or refused."""
    try:
        return clean_prompt(text)
    except Refusal as refusal:
        if refusal.reason is Reason.EMPTY_PROMPT:
            raise Refusal(Reason.EMPTY_CHANGE) from None
        raise
