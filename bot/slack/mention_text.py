"""A message's text as its author read it: the bot's own mention and Slack's notation taken out."""

from __future__ import annotations

from bot.domain.prompt import check_length
from bot.slack.notation import NO_NAMES, Names, in_words
from bot.slack.own_mention import without_own_mention


def mention_text(text: str, bot_user: str, names: Names = NO_NAMES) -> str:
    """The words, with what `names` knows. Raises `Refusal` for a text that is too long to be
    parsed."""
    return in_words(without_own_mention(check_length(text), bot_user), names)
