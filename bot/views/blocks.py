"""Block Kit, piece by piece: text made fit for it, and the opaque values that it carries."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

from bot.domain.attempt import ImageRef
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.views.ids import BUTTON_LABELS

Block = dict[str, Any]

BUTTON_TEXT = 75
OPTION_TEXT = 75
PROMPT_SHOWN = 2_900
"""Of a prompt, in a message: just under the 3,000 of a section's text."""
ALT_TEXT = 2_000
SECTION_TEXT = 3_000
INPUT_LENGTH = 3_000
FALLBACK_TEXT = 700
"""Of a prompt, in a message's top-level text: what notifications and screen readers get. Escaped,
it can be five times as long, and an update takes 4,000."""
MOST_REPEATED = 38_000
"""Characters, escaped: a message holds 40,000."""
_REPEATED_CUT = 7_500
"""UTF-16 units of what is longer. Escaped, they can be five times as long."""

VALUE = 2_000
"""Characters that a button's value holds."""
_TARGET = re.compile(r"([\w-]+\.[\w-]+\.[0-9a-f]+)#([0-9]{1,4})(?:\.([1-4]))?")

_MRKDWN: Block = {"type": "mrkdwn", "verbatim": True}
"""`verbatim`: a bare address or name in the text stays text."""
_PLAIN: Block = {"type": "plain_text", "emoji": False}

escape = partial(html.escape, quote=False)
"""Slack's markup stays text: `<!channel>`, `<@U…>` and `<url|text>`."""


class Message(NamedTuple):
    """`text` is what notifications and screen readers get. The first block carries the marker."""

    text: str
    blocks: list[Block]


class Choice(NamedTuple):
    """One option of a select."""

    value: str
    label: str


class Target(NamedTuple):
    """What a button or a form is about: an image of a session; with attempt 0, the session."""

    session_id: str
    image: ImageRef

    def __str__(self) -> str:
        return f"{self.session_id}#{self.image}"


def utf16_length(text: str) -> int:
    """In UTF-16 units, the strictest way to count."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, ending in … where it was cut."""
    encoded = text[: limit + 1].encode("utf-16-le", errors="surrogatepass")
    if len(encoded) <= 2 * limit:
        return text
    return encoded[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore") + "…"


def split(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` UTF-16 units, which end between two words where they can. Those of
    blanks alone are left out."""
    while text:
        piece = text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", errors="ignore")
        if len(piece) < len(text) and (end := piece.rfind(" ", limit // 2)) >= 0:
            piece = piece[: end + 1]
        text = text[len(piece) :]
        if piece.strip():
            yield piece


def one_line(text: str) -> str:
    return " ".join(text.split())


def repeated(typed: str, lead: str) -> str:
    """What was typed, in mrkdwn, to be copied. It stands in a code block, except where it would
    end the code block itself."""
    whole = len(escape(typed)) <= MOST_REPEATED
    shown = escape(typed if whole else cut(typed, _REPEATED_CUT))
    return f"{lead}\n```{shown}```" if "```" not in typed else f"{lead}\n{shown}"


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def divider() -> Block:
    return {"type": "divider"}


def section(mrkdwn: str = "", *, plain: str = "") -> Block:
    """A paragraph, in mrkdwn or else in plain text."""
    text = _PLAIN | {"text": plain} if plain else _MRKDWN | {"text": mrkdwn}
    return {"type": "section", "text": text}


def context(*mrkdwn: str, plain: str = "") -> Block:
    """One line of small print, in as many elements; the `plain` one comes last."""
    elements = [_MRKDWN | {"text": each} for each in mrkdwn]
    elements += [_PLAIN | {"text": plain}] if plain else []
    return {"type": "context", "elements": elements}


def image(file_id: str, alt_text: str) -> Block:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text}


def without_images(message: Message) -> Message:
    """The message with a line in the place of each image, whose file is gone."""
    return message._replace(blocks=[_without_image(block) for block in message.blocks])


def _without_image(block: Block) -> Block:
    if block["type"] != "image":
        return block
    line = context(plain="The file of this image was deleted")
    return line | {key: block[key] for key in ("block_id",) if key in block}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(label: str, action_id: str, value: str, *, primary: bool = False) -> Block:
    element: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": cut(label, BUTTON_TEXT), "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    return element | ({"style": "primary"} if primary else {})


def buttons(target: Target, *action_ids: str, primary: str = "") -> Block:
    """A row of buttons about `target`. `primary` is the action id of the one that stands out."""
    elements = [
        button(
            BUTTON_LABELS[each],
            numbered(each, target.image.candidate),
            str(target),
            primary=each == primary,
        )
        for each in action_ids
    ]
    return {"type": "actions", "elements": elements}


def select(action_id: str, choices: list[Choice], chosen: str) -> Block:
    """`chosen` is the value of one of the choices."""
    options = {
        c.value: {"text": plain(cut(c.label, OPTION_TEXT)), "value": c.value} for c in choices
    }
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": list(options.values()),
        "initial_option": options[chosen],
    }


def numbered(action_id: str, candidate: int) -> str:
    """The action id of a candidate's own button, unique in its message: `approve`, `approve_2`."""
    return action_id if candidate == 1 else f"{action_id}_{candidate}"


def target_of(value: str | None) -> Target:
    """The target that a button's value or a form's metadata names. Raises `Refusal` for a value
    that is not ours."""
    match = _TARGET.fullmatch(value) if value and len(value) <= VALUE else None
    if match is None:
        raise Refusal(Reason.EXPIRED)
    return Target(match[1], ImageRef(int(match[2]), int(match[3] or 1)))


def edit_value(target: Target, change: str) -> str:
    """The value of a button about `target` whose form has `change` in it, if a value holds it."""
    value = f"{target}\n{change}"
    return value if utf16_length(value) <= VALUE else str(target)


def read_edit_value(value: str | None) -> tuple[Target, str]:
    """Target and change. Raises `Refusal` for a value that is not ours."""
    target, _, change = (value or "").partition("\n")
    return target_of(target), change


def marker(
    session: Session,
    kind: Literal["root", "draft", "preview", "failure", "final"],
    number: int = 0,
    delivery: int = 0,
) -> str:
    """The id of a message's first block, by which it is found where no `ts` was recorded. At most
    255 characters; `number` is that of its attempt, `delivery` how often that was delivered
    again."""
    again = f".{delivery}" if delivery else ""
    return f"{kind}-{session.id}-{number}{again}"
