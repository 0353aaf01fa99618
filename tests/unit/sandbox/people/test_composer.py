"""What a client sends for what a person types."""

from __future__ import annotations

import pytest

from bot.sandbox.people.composer import as_sent
from bot.sandbox.workspace.workspace import Workspace

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.fixture
def workspace() -> Workspace:
    made = Workspace(None, 0.0)
    made.add_group("Art Team", "art")
    return made


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@imagine draw @bob!", "<@U0IMAGINE1> draw <@U0BOB00000>!"),
        ("can you, @imagine, draw", "can you, <@U0IMAGINE1>, draw"),
        ("@imagine's fox", "<@U0IMAGINE1>'s fox"),
        ("in #general with @art", "in <#C0GENERAL0|> with <!subteam^S0ART00000>"),
        ("@here @channel @everyone", "<!here> <!channel> <!everyone>"),
        ("@nobody #nowhere a@x.org", "@nobody #nowhere <mailto:a@x.org|a@x.org>"),
        ("🦊 👋🏽 ❤️ 👩‍🚀", ":fox_face: :wave::skin-tone-4: :heart: :female-astronaut:"),
        (f"{ENGLAND} 🇬🇧", ":flag-england: :gb:"),
        ("see https://x.org/?a=1&b=2 <3", "see <https://x.org/?a=1&amp;b=2> &lt;3"),
        ("<!here> & <@U1>", "&lt;!here&gt; &amp; &lt;@U1&gt;"),
        ("a\u202eb\U000e0041", "a\u202eb\U000e0041"),
    ],
)
def test_ids_and_short_codes_are_sent(workspace: Workspace, typed: str, sent: str) -> None:
    assert as_sent(workspace, typed) == sent
