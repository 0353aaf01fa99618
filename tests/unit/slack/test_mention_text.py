"""A message's text as its author read it."""

from __future__ import annotations

import pytest

from bot.slack.mention_text import mention_text


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@UBOT> make it night", "make it night"),
        ("<@UBOT|imagine> make it night", "make it night"),
        ("<@UBOT>\u00a0make it night", "make it night"),
        ("<@UBOT>: make it night", "make it night"),
        ("<@UBOT>, make it night", "make it night"),
        ("hey <@UBOT> make it night", "hey make it night"),
        ("make it night <@UBOT>", "make it night"),
        ("<@UBOT> <@UBOT> a fox", "a fox"),
        ("<@UBOT> a fox —ar 16:9", "a fox —ar 16:9"),
        ("<@UBOT>—n 3 a fox", "—n 3 a fox"),
        ("<@UBOT>", ""),
        ("", ""),
        ("a fox for <@U7>", "a fox for @U7"),
        ("a fox for <@U7|bo>", "a fox for @bo"),
        ("<@UBOTTOM> a fox", "@UBOTTOM a fox"),
        ("the <#C1|general> fox", "the #general fox"),
        ("the <#C1> fox", "the #C1 fox"),
        ("the <#C1|> fox", "the #C1 fox"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@artists> <!subteam^S1>", "@artists @S1"),
        ("<!date^1^{date}|today>", "today"),
        ("<https://x.org/a?b=1&amp;c=2|a link>", "a link"),
        ("<https://x.org/a?b=1&amp;c=2>", "https://x.org/a?b=1&c=2"),
        ("<mailto:a@x.org|a@x.org> <mailto:a@x.org>", "a@x.org a@x.org"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("&lt;@UBOT&gt; &lt;!channel&gt;", "<@UBOT> <!channel>"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),
        ("one\ntwo  three", "one\ntwo  three"),
        ("*bold* _it_ `code` :cat:", "*bold* _it_ `code` :cat:"),
        ("a < b > c", "a < b > c"),
        ("<unclosed", "<unclosed"),
    ],
)
def test_slacks_notation_is_taken_out(sent: str, read: str) -> None:
    assert mention_text(sent, "UBOT") == read
