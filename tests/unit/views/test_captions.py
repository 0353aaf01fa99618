"""Every image of ours says that it is made by AI, wherever it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.options import NO_OPTIONS
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import block_problems, view_problems
from bot.sandbox.workspace.markup import pings_in_blocks, texts
from bot.views.blocks import Block, Message
from bot.views.home import HomePage, home_view
from bot.views.messages import draft_message, final_message, preview_message
from tests.fakes import MODEL, PROMPT, a_session, generating
from tests.unit.views.samples import (
    HOSTILE,
    PROMPTS,
    decided,
    two_of_three,
    with_images,
    with_prompt,
)

LABEL = f"AI-generated · {MODEL}"
LINK = f"<https://x.slack.com/archives/C1/p10|{PROMPT}>"
LABELS = ["Made by AI", HOSTILE[:80], "*_~`:robot_face:", "&<>\"'", "ב AI", "🤖"]


def made_by(session: Session, model: str) -> Session:
    """The session with its images made by that model."""
    for attempt in session.attempts:
        candidates = tuple(replace(each, model=model) for each in attempt.candidates)
        session = with_attempt(session, replace(attempt, candidates=candidates))
    return session


def as_file(session: Session) -> Session:
    for attempt in session.attempts:
        session = with_attempt(session, replace(attempt, as_file=True))
    return session


def home_page(session: Session) -> HomePage:
    return HomePage((), 0, 0, (session,), 1, 0, NO_OPTIONS, NO_OPTIONS)


def shown_as(session: Session, label: str) -> list[list[Block]]:
    """The blocks of every message and view that show an image of the session."""
    final = replace(session, stage=Stage.FINAL, final_result=1, approved_by="U1", final_ts="9.9")
    messages: list[Message] = [
        draft_message(session, 1, label=label),
        draft_message(decided(session), 1, label=label),
        draft_message(with_images(session, 4), 1, label=label),
        draft_message(final, 1, label=label),
        final_message(final, label=label),
        preview_message(generating(), 1, "F9", label=label),
    ]
    for message in messages:
        assert block_problems(message.blocks) == []
    home = home_view(home_page(final), "https://x.slack.com/", label=label)
    assert view_problems(home, kinds=("home",)) == []
    return [*(message.blocks for message in messages), home["blocks"]]


def small_print(blocks: list[Block]) -> list[Block]:
    """The plain pieces of the context lines."""
    contexts = [block["elements"] for block in blocks if block["type"] == "context"]
    return [each for elements in contexts for each in elements if each["type"] == "plain_text"]


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_every_message_with_an_image_says_so_twice(prompt: str) -> None:
    session = with_prompt(a_session(), prompt)
    shown = [
        (label, blocks)
        for label in ("AI-generated", *LABELS)
        for blocks in shown_as(session, label)
    ]
    for label, blocks in shown:
        lines = [each["text"] for each in small_print(blocks)]
        assert any(line.startswith(label) for line in lines), label
        for image in (block for block in blocks if block["type"] == "image"):
            assert image["alt_text"].startswith(label)
            assert len(image["alt_text"].encode("utf-16-le")) <= 4_000, label


@pytest.mark.parametrize("label", LABELS)
def test_no_markup_in_a_label_or_a_model_comes_to_life(label: str) -> None:
    for blocks in shown_as(made_by(a_session(), HOSTILE), label):
        for piece in small_print(blocks):
            assert piece["emoji"] is False
        assert not any(label in text or HOSTILE in text for text in texts(blocks, ("mrkdwn",)))
        written = {"<@U1>", "<#C1>", LINK}
        pings = {ping for ping in pings_in_blocks(blocks) if not ping.startswith("<!date^")}
        assert pings <= written


def test_the_model_is_said_with_every_draft_and_final() -> None:
    session = a_session(Stage.FINAL)
    for message in (draft_message(session, 1), final_message(session)):
        assert LABEL in [each["text"] for each in small_print(message.blocks)]
    assert draft_message(session, 1).blocks[0]["alt_text"] == f"{LABEL}: {PROMPT}"
    assert final_message(session).blocks[1]["alt_text"] == f"{LABEL}: {PROMPT}"


def test_an_image_of_an_earlier_version_has_the_label_alone() -> None:
    old = made_by(a_session(Stage.FINAL), "")
    for message in (draft_message(old, 1), final_message(old)):
        assert "AI-generated" in [each["text"] for each in small_print(message.blocks)]
    assert draft_message(old, 1).blocks[0]["alt_text"] == f"AI-generated: {PROMPT}"


def test_candidates_of_two_models_name_both() -> None:
    several = with_images(a_session(), 2)
    first, second = several.attempt(1).candidates
    attempt = replace(several.attempt(1), candidates=(first, replace(second, model="other")))
    message = draft_message(with_attempt(several, attempt), 1)
    assert f"{LABEL} · other" in [each["text"] for each in small_print(message.blocks)]
    alts = [block["alt_text"] for block in message.blocks if block["type"] == "image"]
    assert alts == [
        f"{LABEL} · image 1 of attempt 1: {PROMPT}",
        f"AI-generated · other · image 2 of attempt 1: {PROMPT}",
    ]


def test_images_that_are_plain_files_have_the_label_below() -> None:
    for session in (a_session(), with_images(a_session(), 3), two_of_three(a_session())):
        for shown in (session, decided(session)):
            message = draft_message(as_file(shown), 1)
            assert block_problems(message.blocks) == []
            assert LABEL in [each["text"] for each in small_print(message.blocks)]
    final = final_message(as_file(a_session(Stage.FINAL)), link="https://x.slack.com/p1")
    assert LABEL in [each["text"] for each in small_print(final.blocks)]
