"""What `/imagine list` and `/imagine cancel` answer, and the links to threads."""

from __future__ import annotations

import pytest

from bot.domain.attempt import ImageRef
from bot.sandbox.workspace.markup import pings_in_text
from bot.views.lists import cancelled_words, list_words, thread_link
from tests.fakes import PROMPT, a_session, generating
from tests.unit.views.samples import HOSTILE, PROMPTS, from_picture, refined, with_prompt

URL = "https://acme.slack.example/"
LINK = "https://acme.slack.example/archives/C1/p10"


def test_who_has_nothing_in_progress_is_told_what_to_type() -> None:
    assert "Type `/imagine a robot eating pizza on Mars`" in list_words([], 0, URL)


def test_the_list_links_each_session_and_says_how_it_stands() -> None:
    sessions = [generating(), refined(generating(3), ImageRef(2))]
    assert list_words(sessions, 2, URL).splitlines() == [
        "*In progress: 2*",
        f"• <{LINK}|{PROMPT}> · ⏳ Queued",
        f"• <{LINK}|{PROMPT}> · ⏳ Queued, attempt 3 from attempt 2",
    ]


def test_a_list_that_is_cut_says_where_the_others_are() -> None:
    said = list_words([generating()], 8, URL)
    assert "*In progress: 8*" in said
    assert "My Home tab has the other 7 too." in said


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_a_prompt_in_a_list_makes_no_markup(prompt: str) -> None:
    session = with_prompt(generating(), prompt)
    said = list_words([session] * 10, 300, URL)
    assert len(said) < 8_000
    assert len(said.splitlines()) == 12
    assert all(ping.startswith(f"<{LINK}|") for ping in pings_in_text(said))
    assert pings_in_text(cancelled_words(session, 2)) == []


def test_a_cancellation_names_what_was_stopped_and_what_goes_on() -> None:
    session = generating()
    assert cancelled_words(session, 0) == f"🚫 Cancelled: “{PROMPT}”."
    assert "One other of yours goes on" in cancelled_words(session, 1)
    assert "3 others of yours go on" in cancelled_words(session, 3)
    hostile = with_prompt(session, HOSTILE)
    assert "&lt;!channel&gt;" in cancelled_words(hostile, 0)


@pytest.mark.parametrize("url", [URL, URL.rstrip("/")])
def test_a_link_leads_to_the_message_with_the_status(url: str) -> None:
    session = a_session(root_ts="1732.000100", thread_ts="1732.000100")
    assert thread_link(url, session) == f"{URL}archives/C1/p1732000100"


def test_a_link_leads_into_a_thread_that_was_there_before() -> None:
    session = from_picture(a_session(root_ts="2.5", thread_ts="1.0"))
    assert thread_link(URL, session) == f"{URL}archives/C1/p25?thread_ts=1.0&cid=C1"
    assert f"<{URL}archives/C1/p25?thread_ts=1.0&amp;cid=C1|" in list_words([session], 1, URL)


def test_a_message_that_is_not_posted_has_no_link() -> None:
    assert thread_link(URL, a_session(root_ts="")) == ""
