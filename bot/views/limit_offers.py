"""What a refusal by a limit offers by buttons: fewer images, the lowest quality, and to cancel what
waits."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from bot.domain.attempt import ImageRef, Source
from bot.domain.limits import LimitReached, ReducedRequest, RefusedAttempt
from bot.domain.option_table import OPTIONS
from bot.domain.options import LOWEST_QUALITY, OptionTable, Value
from bot.domain.questions import RefusedRequest
from bot.domain.refusals import OptionRefused, Reason, Refusal
from bot.views.blocks import (
    SECTION_TEXT,
    VALUE,
    Block,
    Message,
    actions,
    button,
    numbered,
    section,
    split,
    utf16_length,
)
from bot.views.ids import CANCEL_WAITING, FEWER_IMAGES
from bot.views.limit_words import explained, image_count, limit_words, to_keep, typed
from bot.views.lists import waiting_rows
from bot.views.prefilled import options_of

_MOST_SHOWN = 9_000
"""Characters in blocks. Of all blocks of a message together, Slack takes some 11,000."""


class LimitOffer(NamedTuple):
    """What a button begins: an attempt of a session, of which `number` was the newest; or where
    `session_id` is empty the first of a new one, in that place and from that picture."""

    reduced: ReducedRequest
    channel: str
    session_id: str = ""
    number: int = 0
    thread_ts: str = ""
    asked_ts: str = ""
    source: Source | None = None
    kept: str = ""
    """The id of the `RefusedRequest` that holds the words and the channel."""

    def with_words(self, request: RefusedRequest) -> LimitOffer:
        reduced = self.reduced._replace(prompt=request.prompt, change=request.change)
        return self._replace(reduced=reduced, channel=request.channel)


def limit_offer_message(refused: LimitReached, *, command: bool) -> Message:
    """The words with buttons for what fits, and with what waits, each with Cancel. `command`: the
    repeated text was typed after the slash command. What fits is not offered where Slack takes no
    value that long."""
    words = limit_words(refused, plain=False, command=command)
    row = _fitting(refused) if refused.wanted else []
    waiting = waiting_rows(refused.waiting, CANCEL_WAITING)
    if len(words) > _MOST_SHOWN or not (row or waiting):
        return Message(words, [])
    shown = _sections(refused, words, command=command)
    return Message(words, [*shown, *([actions(*row)] if row else []), *waiting])


def _sections(refused: LimitReached, words: str, *, command: bool) -> list[Block]:
    """The words, in as many sections as the typed text needs."""
    if len(words) <= SECTION_TEXT:
        return [section(words)]
    pieces = split(typed(refused, command=command), SECTION_TEXT)
    return [
        section(f"{explained(refused)}\n{to_keep(refused)}"),
        *(section(plain=each) for each in pieces),
    ]


def read_limit_offer(value: str | None, table: OptionTable = OPTIONS) -> LimitOffer:
    """What a button's value holds. Raises `Refusal` for a value that is not ours."""
    try:
        kept = json.loads(value or "")
        base = ImageRef(*map(int, kept["b"])) if kept.get("b") else None
        options = options_of(kept["o"], table)
        texts = [kept.get(name, "") for name in "cstak"]
        texts += [kept[name] for name in "pw" if kept.get(name) is not None]
        if not all(isinstance(text, str) for text in texts):
            raise Refusal(Reason.EXPIRED)
        return LimitOffer(
            ReducedRequest(options, base, kept.get("p"), kept.get("w")),
            "" if kept.get("k") else kept["c"],
            kept.get("s", ""),
            int(kept.get("n", 0)),
            kept.get("t", ""),
            kept.get("a", ""),
            Source(*kept["f"]) if kept.get("f") else None,
            kept.get("k", ""),
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, OptionRefused):
        raise Refusal(Reason.EXPIRED) from None


def _fitting(refused: LimitReached) -> list[Block]:
    offers: list[tuple[str, dict[str, Value]]] = []
    if refused.fitting > 0:
        offers.append((f"Make {image_count(refused.fitting)} instead", {"count": refused.fitting}))
    if refused.lowest_fitting > max(0, refused.fitting):
        all_fit = refused.lowest_fitting == refused.asked
        what = "it" if all_fit else image_count(refused.lowest_fitting)
        chosen: dict[str, Value] = {
            "quality": LOWEST_QUALITY,
            "count": refused.lowest_fitting,
        }
        offers.append((f"Make {what} in {LOWEST_QUALITY} quality instead", chosen))
    row = [
        button(label, numbered(FEWER_IMAGES, number), _value(refused.wanted, chosen, refused.kept))
        for number, (label, chosen) in enumerate(offers, 1)
        if refused.wanted
    ]
    return [each for each in row if utf16_length(each["value"]) <= VALUE]


def _value(wanted: RefusedAttempt, chosen: dict[str, Value], words: str) -> str:
    """`words` is the id under which they and the channel are kept; empty where they are here."""
    session, attempt = wanted
    options = attempt.options.replace(**chosen)
    base, source = attempt.base, session.source
    kept: dict[str, Any] = {"o": dict(options.chosen)}
    kept["b"] = [base.attempt, base.candidate] if base else None
    if words:
        kept["k"] = words
    else:
        kept["c"], (kept["p"], kept["w"]) = session.channel, wanted.new_words
    if session.version:
        kept |= {"s": session.id, "n": len(session.attempts)}
    else:
        kept |= {"t": session.thread_ts or None, "a": session.asked_ts or None}
        kept["f"] = [source.file_id, source.mime_type, source.size] if source else None
    return json.dumps({k: v for k, v in kept.items() if v is not None}, ensure_ascii=False)
