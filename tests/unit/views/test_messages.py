"""Every message for sessions of every kind: lawful Block Kit, and no markup out of a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.errors import FailureKind
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.sandbox.blockkit import block_problems
from bot.sandbox.markup import pings_in_blocks, pings_in_text, texts
from bot.sandbox.messages import block_texts
from bot.views import messages
from bot.views.messages import Message
from bot.views.words import failure_words
from tests.fakes import OWNER, a_session
from tests.unit.views.samples import HOSTILE, PROMPTS, sessions_of

LINK = "https://slack.example/archives/C1/p1"
MOST_TEXT = 4000
"""Characters of the top-level text that `chat.update` takes."""


def all_messages(session: Session) -> Iterator[Message]:
    """Every message that may be shown of this session."""
    for ahead in (None, 0, 7):
        yield messages.root_message(session, ahead, 130.0)
    for attempt in session.attempts:
        if attempt.file_id:
            shared = with_attempt(session, replace(attempt, as_file=True))
            for live in (True, False):
                yield messages.draft_message(session, attempt.number, live=live)
                yield messages.draft_message(shared, attempt.number, live=live)
        for kind in FailureKind:
            words = failure_words(kind, said=session.task_input)
            for edit in (True, False):
                yield messages.failure_message(session, attempt.number, words, edit_prompt=edit)
    if session.final_result:
        for retired in (True, False):
            for link in ("", LINK):
                yield messages.final_message(session, retired=retired, link=link)


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_every_message_is_lawful_block_kit(prompt: str) -> None:
    for name, session in sessions_of(prompt).items():
        for message in all_messages(session):
            assert block_problems(message.blocks) == [], name
            assert 0 < len(message.text) <= MOST_TEXT, name


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_a_prompt_never_becomes_markup(prompt: str) -> None:
    meant = {"<@U1>", "<@U9>", f"<{LINK}|See the image>"}  # the owner, the approver, the draft
    for session in sessions_of(prompt).values():
        for message in all_messages(session):
            assert set(pings_in_text(message.text)) <= meant
            assert set(pings_in_blocks(message.blocks)) <= meant


def test_a_prompt_stands_in_plain_text_and_never_in_mrkdwn() -> None:
    for session in sessions_of("*bold* _it_ ~no~ `code` <b>").values():
        for message in all_messages(session):
            if "⚠️" not in str(message.blocks):  # a refusal in words is quoted, escaped
                assert "*bold*" not in "".join(texts(message.blocks))


def test_what_is_escaped_is_escaped_once() -> None:
    text = messages.root_message(sessions_of("a & b <c>")["review"], None, 0.0).text
    assert text == "<@U1> imagines: a &amp; b &lt;c&gt;\n👀 Waiting for review by <@U1>"


def test_a_short_prompt_is_shown_as_typed() -> None:
    for name in ("queued", "final"):
        session = sessions_of(HOSTILE)[name]
        root = messages.root_message(session, None, 0.0)
        assert HOSTILE in block_texts(root.blocks)
    draft = messages.draft_message(session, 1, live=False)
    assert draft.blocks[0]["alt_text"] == HOSTILE


def test_what_slack_cannot_hold_is_shown_cut() -> None:
    session = sessions_of("🚀" * 10_000)["final"]
    for message in (messages.root_message(session, None, 0.0), messages.final_message(session)):
        shown = max(block_texts(message.blocks), key=len)
        assert shown.endswith("🚀…")
    alt_text = messages.draft_message(session, 1, live=False).blocks[0]["alt_text"]
    assert alt_text.endswith("🚀…")


def as_file(session: Session, number: int) -> Session:
    """The session, with that attempt's image shared as a plain file."""
    return with_attempt(session, replace(session.attempt(number), as_file=True))


def test_an_image_that_is_no_block_gets_none_by_an_edit() -> None:
    session = as_file(a_session(Stage.FINAL, attempts=2), 2)
    for live in (True, False):
        blocks = messages.draft_message(session, 2, live=live).blocks
        assert [b["type"] for b in blocks if b["type"] == "image"] == []
    final = messages.final_message(session, link=LINK)
    assert "image" not in [b["type"] for b in final.blocks]
    assert f"<{LINK}|See the image>" in str(final.blocks)


def buttons(message: Message) -> dict[str, tuple[str, str]]:
    """Action id → words and value."""
    elements = [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    return {e["action_id"]: (e["text"]["text"], e["value"]) for e in elements}


def test_the_buttons_carry_their_words_and_an_opaque_value() -> None:
    session = a_session(Stage.FINAL, attempts=2)
    live = buttons(messages.draft_message(session, 2, live=True))
    assert live == buttons(messages.draft_message(as_file(session, 2), 2, live=True))
    failure = buttons(messages.failure_message(session, 2, "w", edit_prompt=True))
    final = buttons(messages.final_message(session))
    everything = {**live, **failure, **final}
    words = {action: label for action, (label, _) in everything.items()}
    for action, wanted in {
        "approve": "Approve",
        "regenerate": "Regenerate",
        "try_again": "Try again",
        "edit_prompt": "Edit prompt",
        "start_over": "Start over",
    }.items():
        assert wanted in words[action]
    assert {value for _, value in everything.values()} == {"T1.U1.abc123#2"}


def test_only_a_failure_of_the_prompt_offers_to_edit_it() -> None:
    session = a_session()
    assert list(buttons(messages.failure_message(session, 1, "w", edit_prompt=False))) == [
        "try_again"
    ]


def test_a_draft_that_is_not_live_has_a_line_in_place_of_its_buttons() -> None:
    replaced = a_session(Stage.GENERATING, attempts=3)
    approved = a_session(Stage.FINAL, attempts=2, approved_by="U9")
    for session, number, line in (
        (replaced, 1, "Replaced by attempt 3"),
        (approved, 2, "Approved by <@U9>"),
        (approved, 1, "No longer up for review"),
    ):
        message = messages.draft_message(session, number, live=False)
        assert line in "".join(texts(message.blocks))
        assert buttons(message) == {}
        assert message.blocks[0]["slack_file"] == {"id": f"F{number}"}


def test_the_live_draft_is_the_newest_one_under_review() -> None:
    session = a_session(attempts=2)
    assert [messages.is_live(session, n) for n in (1, 2)] == [False, True]
    for stage in (Stage.GENERATING, Stage.FINAL):
        assert not messages.is_live(a_session(stage, attempts=2), 1)


def test_a_draft_tells_attempt_size_and_seconds() -> None:
    facts = "".join(texts(messages.draft_message(a_session(attempts=2), 2, live=True).blocks))
    assert "attempt 2" in facts
    assert "1024×768" in facts
    assert "12 s" in facts


def test_the_final_message_names_the_approver_where_it_was_not_the_owner() -> None:
    own = a_session(Stage.FINAL)
    assert "approved by" not in str(messages.final_message(own).blocks)
    other = replace(own, approved_by="U9")
    assert "approved by <@U9>" in str(messages.final_message(other).blocks)
    assert f"<@{OWNER}>" in str(messages.final_message(other).blocks)
    assert "Start over" not in str(messages.final_message(own, retired=True).blocks)


def test_every_message_of_a_session_is_found_by_a_marker_of_its_own() -> None:
    session = a_session(Stage.FINAL, attempts=2)
    found = [
        messages.root_message(session, None, 0.0).blocks[0]["block_id"],
        messages.final_message(session).blocks[0]["block_id"],
    ]
    for n in (1, 2):
        found.append(messages.draft_message(session, n, live=True).blocks[0]["block_id"])
        found.append(
            messages.failure_message(session, n, "w", edit_prompt=False).blocks[0]["block_id"]
        )
    assert len(set(found)) == 6
    assert found[0] == messages.root_marker(session)
    assert found[1] == messages.final_marker(session)
    assert found[2:4] == [messages.draft_marker(session, 1), messages.failure_marker(session, 1)]
    fallback = messages.draft_message(as_file(session, 2), 2, live=True).blocks[0]["block_id"]
    assert fallback == messages.draft_marker(session, 2)
    assert all(re.fullmatch(r"[\w.-]{1,255}", marker) for marker in found)
