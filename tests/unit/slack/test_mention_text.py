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
        ("a fox for <@U7>", "a fox for someone"),
        ("a fox for <@U7|bo>", "a fox for bo"),
        ("<@UBOTTOM> a fox", "someone a fox"),
        ("the <#C1|general> fox", "the #general fox"),
        ("the <#C1> fox", "the a channel fox"),
        ("the <#C1|> fox", "the a channel fox"),
        ("<!here> <!channel> <!everyone>", "everyone here everyone in the channel everyone"),
        ("<!subteam^S1|@artists> <!subteam^S1>", "artists a group"),
        ("<!date^1^{date}|today>", "today"),
        ("<https://x.org/a?b=1&amp;c=2|a link>", "a link"),
        ("<https://x.org/a?b=1&amp;c=2>", "https://x.org/a?b=1&c=2"),
        ("<mailto:a@x.org|a@x.org> <mailto:a@x.org>", "a@x.org a@x.org"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("&lt;@UBOT&gt; &lt;!channel&gt;", "<@UBOT> <!channel>"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),
        ("one\ntwo  three", "one\ntwo  three"),
        ("*bold* _it_ `code` :cat:", "*bold* _it_ `code` :cat:"),
        ("<@UBOT> :fox_face: on the moon", ":fox_face: on the moon"),
        ("<@UBOT>: :wave::skin-tone-3: hi", ":wave::skin-tone-3: hi"),
        ("can you, <@UBOT>, draw <@U7|bo>'s cat", "can you, draw bo's cat"),
        ("<@UBOT> &lt;3 <@UBOT>, really", "<3, really"),
        ("a < b > c", "a < b > c"),
        ("<unclosed", "<unclosed"),
    ],
)
def test_slacks_notation_is_taken_out(sent: str, read: str) -> None:
    assert mention_text(sent, "UBOT") == read
