"""What a person is told where a limit is reached: which, what is left, when it begins anew, who can
raise it, and what can be done now."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.limits import LimitReached, Quota, Standing
from bot.views.blocks import repeated
from bot.views.captions import option_words
from bot.views.ids import COMMAND
from bot.views.money import dollars, rounded_down, rounded_up

_MOST_NAMED = 3
"""Admins."""


def limit_words(
    refused: LimitReached, *, plain: bool, command: bool, zone: ZoneInfo | None = None
) -> str:
    """In mrkdwn, where Slack shows times in the reader's own time zone, or `plain` for a form,
    which still shows what was typed; `zone` is the reader's, if it is known."""
    words = explained(refused, plain=plain, zone=zone)
    if plain or not refused.text:
        return words
    return f"{words}\n{repeated(typed(refused, command=command), to_keep(refused))}"


def explained(refused: LimitReached, *, plain: bool = False, zone: ZoneInfo | None = None) -> str:
    """The words without the repeated text."""
    at = int(refused.standing.resets_at)
    when = _plain_when(at, zone) if plain else _when(at)
    told = [
        _which(refused, plain=plain),
        f"What is still being made counts, too. It begins anew {when}.",
        f"{_who(refused, plain=plain)} can raise it with `{COMMAND} settings`.",
        "Nothing was started, and nothing is paid for.",
        _advice(refused, plain=plain),
    ]
    words = " ".join(filter(None, told))
    return words.replace("`", "") if plain else words


def to_keep(refused: LimitReached) -> str:
    """What stands above the text that was asked for: with the options, where the text is not as it
    was typed, with its flags."""
    options = ""
    if (wanted := refused.wanted) and refused.text in (
        wanted.attempt.change,
        wanted.attempt.prompt,
    ):
        options = option_words(wanted.attempt.options)
    return f"This is what you asked for{f' ({options})' if options else ''}:"


def typed(refused: LimitReached, *, command: bool) -> str:
    """What was asked for, as it can be typed again: after the slash `command`, or in a message."""
    return f"{COMMAND} {refused.text}" if command else refused.text


def nearly_used_words(standing: Standing) -> str:
    """A notice in advance; nothing is refused yet."""
    if standing.quota is Quota.USER_IMAGES:
        limit, left = f"{image_count(standing.limit)} a day", f"{standing.left:,}"
        what = f"Of your {limit}, {left} {'is' if standing.left == 1 else 'are'} left."
    else:
        owner, limit = _owner(standing), dollars(standing.limit)
        what = f"{owner} is {limit} a month: {rounded_down(standing.left)} is left."
    return f"{what} It begins anew {_when(int(standing.resets_at))}."


def _who(refused: LimitReached, *, plain: bool) -> str:
    """Names of people show in mrkdwn alone."""
    if plain or not refused.admins:
        return "An admin"
    named = [f"<@{admin}>" for admin in sorted(refused.admins)[:_MOST_NAMED]]
    return f"An admin, such as {' or '.join(named)},"


def _owner(standing: Standing, *, plain: bool = False) -> str:
    """The words may come in a direct message, so a channel is named where Slack shows names."""
    channel = "this channel" if plain else f"<#{standing.channel}>"
    return {
        Quota.USER: "Your budget",
        Quota.CHANNEL: f"The budget of {channel if standing.channel else 'this conversation'}",
        Quota.WORKSPACE: "The budget of this workspace",
    }[standing.quota]


def _which(refused: LimitReached, *, plain: bool) -> str:
    standing, asked = refused.standing, refused.asked
    if standing.quota is Quota.USER_IMAGES:
        limit, count = image_count(standing.limit), standing.left
        many = f"{count:,} {'is' if count == 1 else 'are'} left" if count else "none is left"
        return f"You may ask for {limit} a day: {many}, and this would be {image_count(asked)}."
    owner, cost = _owner(standing, plain=plain), rounded_up(asked * standing.each)
    left = rounded_down(standing.left)  # so less than the cost, also where both round to the same
    return (
        f"{owner} is {dollars(standing.limit)} a month: {left} is left, and this may cost {cost}."
    )


def image_count(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _when(at: int) -> str:
    return f"<!date^{at}^{{date_short_pretty}} at {{time}}|{_time(at, UTC)} UTC>"


def _plain_when(at: int, zone: ZoneInfo | None) -> str:
    return f"on {_time(at, zone)}, your time" if zone else f"on {_time(at, UTC)} UTC"


def _time(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d at %H:%M}"


def _cheaper(refused: LimitReached) -> list[str]:
    """What makes an image count less, where one that counts so little fits."""
    standing = refused.standing
    if standing.quota is Quota.USER_IMAGES:
        return []
    each, left = standing.each, standing.left
    can = ["a lower quality"] if refused.lowest_fitting > 0 and standing.lowest < each else []
    return can + (
        ["a smaller size"] if 0 < standing.smallest < each and standing.smallest <= left else []
    )


def _advice(refused: LimitReached, *, plain: bool) -> str:
    """In a `plain` form options are selected, not typed."""
    can = []
    if refused.fitting > 0:
        how = image_count(refused.fitting) if plain else f"fewer images (`--n {refused.fitting}`)"
        can.append(f"ask for {how}")
    if cheaper := _cheaper(refused):
        can.append(f"choose {' or '.join(cheaper)}")
    if refused.waiting:
        can.append(f"cancel one that is being made (`{COMMAND} cancel`)")
    return f"Until then you can {', or '.join(can)}." if can else ""
