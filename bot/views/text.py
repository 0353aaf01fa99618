"""Text made fit for Slack."""

from __future__ import annotations

import html

COMMAND = "/imagine"
PICTURES = "PNG, JPEG, WebP or GIF"
"""What `bot.domain.images` accepts."""

PROMPT_SHOWN = 2_900
"""Of a prompt, in a message: just under the 3,000 of a section's text."""
ALT_TEXT = 2_000
INPUT_LENGTH = 3_000
FALLBACK_TEXT = 700
"""Of a prompt, in a message's top-level text: what notifications and screen readers get. Escaped,
it can be five times as long, and an update takes 4,000."""

MOST_REPEATED = 38_000
"""Characters, escaped: a message holds 40,000."""
_LEFT_OF_IT = 7_500
"""Escaped, it can be five times as long."""


def escape(text: str) -> str:
    """Defuse Slack's markup: `<!channel>`, `<@U…>` and `<url|text>` stay text."""
    return html.escape(text, quote=False)


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units (the strictest way to count), ending in … where it was cut."""
    encoded = text.encode("utf-16-le", errors="surrogatepass")
    if len(encoded) <= 2 * limit:
        return text
    return encoded[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore") + "…"


def mention(user: str) -> str:
    return f"<@{user}>"


def one_line(text: str) -> str:
    return " ".join(text.split())


def repeated(typed: str, lead: str) -> str:
    """What was typed, to be copied: no markup in it comes to life. Where it would break out of a
    code block itself, it stands without one."""
    whole = len(escape(typed)) <= MOST_REPEATED
    shown = escape(typed if whole else cut(typed, _LEFT_OF_IT))
    return f"{lead}\n```{shown}```" if "```" not in typed else f"{lead}\n{shown}"
