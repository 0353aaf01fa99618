"""Slack's notation in words."""

from __future__ import annotations

import pytest

from bot.domain.prompt import parse_flags
from bot.slack.notation import Names, References, clean_name, in_words, references

NAMES = Names({"U7": "Bob Fox", "W8": "Zoë"}, {"C1": "general"}, {"S1": "Artists"})
NO_NAMES = Names()


@pytest.mark.parametrize(
    ("sent", "read", "without_names"),
    [
        ("draw <@U7> as <@W8>", "draw Bob Fox as Zoë", "draw someone as someone"),
        ("draw <@U9>'s cat", "draw someone's cat", "draw someone's cat"),
        ("draw <@U9|>", "draw someone", "draw someone"),
        ("draw <@U9|bo>", "draw bo", "draw bo"),
        ("the <#C1> fox", "the #general fox", "the a channel fox"),
        ("the <#C1|> fox", "the #general fox", "the a channel fox"),
        ("in <#C2|random>", "in #random", "in #random"),
        ("in <#D2>", "in a channel", "in a channel"),
        ("<!subteam^S1> and <!subteam^S2>", "Artists and a group", "a group and a group"),
        ("<!subteam^S1|@art>", "art", "art"),
        ("<!here>!", "everyone here!", "everyone here!"),
        ("<!here|here>", "everyone here", "everyone here"),
        ("<!channel>", "everyone in the channel", "everyone in the channel"),
        ("<!group>", "everyone in the channel", "everyone in the channel"),
        ("<!everyone>", "everyone", "everyone"),
        ("<!unknown^x|words>", "words", "words"),
        ("<!date^1767225600^{date}|New Year>", "New Year", "New Year"),
        ("<!date^1767225600^{date_long}>", "January 1, 2026", "January 1, 2026"),
        (
            "<!date^1767225600^on {date_num} at {time}^https://x.org>",
            "on January 1, 2026 at 00:00 UTC",
            "on January 1, 2026 at 00:00 UTC",
        ),
        ("<!date^99999999999999999999^{date}>", "a date", "a date"),
        ("<!date^x>", "a date", "a date"),
        ("<https://x.org/?a=1&amp;b=2|a link>", "a link", "a link"),
        ("<https://x.org/?a=1&amp;b=2>", "https://x.org/?a=1&b=2", "https://x.org/?a=1&b=2"),
        ("<tel:+31201|+31 201> <tel:+31201>", "+31 201 +31201", "+31 201 +31201"),
        ("&lt;@U7&gt; &amp;lt; Tom &amp; Jerry", "<@U7> &lt; Tom & Jerry", None),
    ],
)
def test_it_is_read_as_a_person_reads_it(sent: str, read: str, without_names: str | None) -> None:
    assert in_words(sent, NAMES) == read
    assert in_words(sent, NO_NAMES) == (read if without_names is None else without_names)


def test_only_what_has_no_name_is_looked_up() -> None:
    text = "<@U7> <@U7> <@W8|> <@U9|bo> <#C1> <#C2|x> <!subteam^S1> <!subteam^S2|@x> <!here>"
    assert references(text) == References(("U7", "W8"), ("C1",), ("S1",))
    assert references("&lt;@U7&gt; a fox") == References()


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Bob\u202etxe\u2066", "Bobtxe"),
        ("Bob\n\tFox\x00", "Bob Fox"),
        ("Bob\U000e0041\U000e0042", "Bob"),
        ("Bob --n 4", "Bob -n 4"),
        ("Bob —n 4 –size", "Bob -n 4 -size"),
        ("x" * 200, "x" * 80),
        ("👩‍🚀 Zoë (she/her)", "👩‍🚀 Zoë (she/her)"),
        ("<!here>", "<!here>"),
        ("\u200b", ""),
    ],
)
def test_a_name_is_data(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned
    said = parse_flags(in_words("draw <@U1>", Names({"U1": clean_name(name)})))
    assert said.options.chosen == ()
    assert "<@" not in said.prompt
