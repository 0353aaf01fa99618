"""The markup that a client makes of what a person types."""

import pytest

from bot.sandbox import SimulatedSlack
from bot.sandbox.page.typed_text import as_sent

CASES = [
    ("a <b> & c", "a &lt;b&gt; &amp; c"),
    ("@imagine make it night", "<@U0IMAGINE1> make it night"),
    ("mail me@imagine.example", "mail me@imagine.example"),
    ("@nobody", "@nobody"),
    ("@here look", "<!here> look"),
    ("see #general", "see <#C0GENERAL0|general>"),
    ("http://x.example/a?b=1", "<http://x.example/a?b=1>"),
    ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
]


@pytest.mark.parametrize(("typed", "sent"), CASES)
async def test_typed_text_is_sent_as_slack_does(
    slack: SimulatedSlack, typed: str, sent: str
) -> None:
    assert as_sent(slack.workspace, typed) == sent
