"""What a person is told where a limit is reached: which, what is left, when it begins anew, who can
raise it, and what can be done now."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.limits import LimitReached, Scope, Standing
from bot.domain.options import LOWEST_QUALITY
from bot.views.blocks import Message, actions, button, numbered, repeated, section
from bot.views.ids import COMMAND, FEWER_IMAGES
from bot.views.money import dollars

_OWNERS = {
    Scope.USER: "Your budget",
    Scope.CHANNEL: "The budget of this channel",
    Scope.WORKSPACE: "The budget of this workspace",
}
_LONGEST_VALUE = 2000
"""Characters of a button's value that Slack takes."""
_LONGEST_SECTION = 3000
TO_KEEP = "This is what you asked for:"


def limit_words(refused: LimitReached, *, plain: bool, command: bool) -> str:
    """In mrkdwn, where Slack shows times in the reader's own time zone, or `plain` for a form,
    which still shows what was typed."""
    standing = refused.standing
    words = " ".join(
        [
            _which(refused),
            f"What is still being made counts, too. It begins anew {_when(standing, plain=plain)}.",
            f"An admin can raise it with `{COMMAND} settings`.",
            "Nothing was started, and nothing is paid for.",
            _advice(refused),
        ]
    )
    if plain:
        return words.replace("`", "")
    typed = f"{COMMAND} {refused.text}" if command else refused.text
    return f"{words}\n{repeated(typed, TO_KEEP)}" if refused.text else words


def nearly_used_words(standing: Standing) -> str:
    """A notice in advance; nothing is refused yet."""
    if standing.scope is Scope.USER_IMAGES:
        limit, left = f"{_images(standing.limit)} a day", f"{standing.left:,}"
        what = f"Of your {limit}, {left} {'is' if standing.left == 1 else 'are'} left."
    else:
        owner, limit = _OWNERS[standing.scope], dollars(standing.limit)
        what = f"{owner} is {limit} a month: {dollars(standing.left)} is left."
    return f"{what} It begins anew {_when(standing, plain=False)}."


def offer(refused: LimitReached, words: str) -> Message | None:
    """The words with buttons that ask for as many images as fit, and for all in the lowest quality
    where these fit. Their values are the whole text of a command; None where nothing fits, or Slack
    takes no value that long."""
    asked = []
    if refused.fitting > 0:
        asked.append((f"Make {_images(refused.fitting)} instead", f"--n {refused.fitting}"))
    if refused.standing.fits_in_lowest(refused.asked):
        label = f"Make it in {LOWEST_QUALITY} quality instead"
        asked.append((label, f"--quality {LOWEST_QUALITY}"))
    row = [
        button(label, numbered(FEWER_IMAGES, number), f"{refused.text} {flag}")
        for number, (label, flag) in enumerate(asked, 1)
    ]
    too_long = any(len(each["value"]) > _LONGEST_VALUE for each in row)
    if not row or too_long or len(words) > _LONGEST_SECTION:
        return None
    return Message(words, [section(words), actions(*row)])


def _which(refused: LimitReached) -> str:
    standing, asked = refused.standing, refused.asked
    if standing.scope is Scope.USER_IMAGES:
        limit, count = _images(standing.limit), standing.left
        many = f"{count:,} {'is' if count == 1 else 'are'} left" if count else "none is left"
        return f"You may ask for {limit} a day: {many}, and this would be {_images(asked)}."
    owner, cost = _OWNERS[standing.scope], dollars(asked * standing.each)
    left = dollars(standing.left)
    return (
        f"{owner} is {dollars(standing.limit)} a month: {left} is left, and this may cost {cost}."
    )


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _when(standing: Standing, *, plain: bool) -> str:
    at = int(standing.resets_at)
    text = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d at %H:%M} UTC"
    return f"on {text}" if plain else f"<!date^{at}^{{date_short_pretty}} at {{time}}|{text}>"


def _advice(refused: LimitReached) -> str:
    can = []
    if refused.fitting > 0:
        can.append(f"ask for fewer images (`--n {refused.fitting}`)")
    if refused.standing.scope is not Scope.USER_IMAGES:
        can.append("choose a lower quality or a smaller size")
    can.append(f"cancel one that is being made (`{COMMAND} cancel`)")
    return f"Until then you can {', or '.join(can)}."
