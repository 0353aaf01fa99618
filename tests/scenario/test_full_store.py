"""A store that takes nothing new: whoever wants something kept is told so, and why."""

from __future__ import annotations

import pytest

from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views import ids
from tests.fakes import ID, PROMPT, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import (
    Payload,
    click,
    command,
    direct,
    home_click,
    interaction,
    mention,
    picture,
    submission,
)

BLANK, DRAFT = a_session(Stage.INITIAL_INPUT), a_session()
RUNNING, FINAL = a_session(Stage.GENERATING), a_session(Stage.FINAL)
REQUESTS: dict[str, tuple[Session, Payload]] = {
    "command": (DRAFT, command(PROMPT)),
    "cancel by command": (RUNNING, command("cancel")),
    "approve": (DRAFT, interaction(click(ids.APPROVE, f"{ID}#1"))),
    "regenerate": (DRAFT, interaction(click(ids.REGENERATE, f"{ID}#1"))),
    "cancel": (RUNNING, interaction(click(ids.CANCEL, f"{ID}#1"))),
    "start over": (FINAL, interaction(click(ids.START_OVER, f"{ID}#1"))),
    "form": (BLANK, interaction(submission(ids.PROMPT_FORM, f"{ID}#0", PROMPT))),
    "edit form": (DRAFT, interaction(submission(ids.EDIT_FORM, f"{ID}#1", PROMPT))),
    "refine form": (DRAFT, interaction(submission(ids.REFINE_FORM, f"{ID}#1", PROMPT))),
    "home select": (DRAFT, interaction(home_click("default_option_count", selected="2"))),
}
EVENTS: dict[str, tuple[Session, Payload]] = {
    "mention": (DRAFT, mention(PROMPT)),
    "mention in the thread": (DRAFT, mention("make it night", thread_ts="1.0")),
    "mention with a picture": (DRAFT, mention(PROMPT, files=[picture()])),
    "cancel by mention": (RUNNING, mention("cancel")),
    "direct message": (DRAFT, direct(PROMPT)),
}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("full", "My memory is full"),
        ("read_only", "My memory takes nothing new"),
        ("broken", "memory is broken, so I could not do this: `imagine:{T1}:holds is of another"),
    ],
)
@pytest.mark.parametrize("name", [*REQUESTS, *EVENTS])
async def test_the_person_is_told_why_and_nothing_is_kept(
    make_app: MakeApp, name: str, why: str, said: str
) -> None:
    session, payload = (REQUESTS | EVENTS)[name]
    app = make_app(session)
    setattr(app.store, why, True)
    response = await (app.send(payload) if name in REQUESTS else app.event(payload))
    assert response.status == 200
    told = [*app.of("chat.postEphemeral"), *app.of("respond"), *app.of("chat.postMessage")]
    words = response.body + "".join(call["text"] for call in told)
    assert said in words
    assert "whoever runs this bot" in words
    assert app.store.written == []
    assert app.queue.added == []


async def test_what_only_reads_is_answered(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    app.store.full = True
    assert "waiting for review" in (await app.send(command("list"))).body.lower()
