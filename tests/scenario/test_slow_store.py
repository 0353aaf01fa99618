"""A store that neither answers nor refuses: every request is acked in time all the same."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.slack import answers
from bot.views import ids, words
from tests.fakes import ID, PROMPT, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.slack_app import Payload, click, command, interaction, submission

REQUESTS: dict[str, tuple[Payload, str]] = {
    "command": (command(PROMPT), words.STORE_AWAY),
    "command without a prompt": (command(""), words.STORE_AWAY),
    "approve": (interaction(click(ids.APPROVE, f"{ID}#1")), words.CLICK_LOST),
    "regenerate": (interaction(click(ids.REGENERATE, f"{ID}#1")), words.CLICK_LOST),
    "try again": (interaction(click(ids.TRY_AGAIN, f"{ID}#1")), words.CLICK_LOST),
    "edit prompt": (interaction(click(ids.EDIT_PROMPT, f"{ID}#1")), words.CLICK_LOST),
    "start over": (interaction(click(ids.START_OVER, f"{ID}#1")), words.CLICK_LOST),
    "form": (interaction(submission(ids.PROMPT_FORM, f"{ID}#0", PROMPT)), words.FORM_LOST),
    "edit form": (interaction(submission(ids.EDIT_FORM, f"{ID}#1", PROMPT)), words.FORM_LOST),
}


def test_slack_waits_longer_than_a_listener() -> None:
    assert answers.DECIDE_WITHIN < 2.5  # of 3 s, the way there and back included


@pytest.mark.parametrize(("request_", "said"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_request_is_acked_in_time_and_the_person_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, request_: Payload, said: str
) -> None:
    monkeypatch.setattr(answers, "DECIDE_WITHIN", 0.1)
    app = make_app(a_session())

    async def silent() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(app.store, "_reach", silent)
    started = time.monotonic()
    response = await app.send(request_)
    assert time.monotonic() - started < 1.0
    assert response.status == 200
    assert said in response.body + "".join(c["text"] for c in app.of("chat.postEphemeral"))
    assert app.store.written == []
    assert app.queue.added == []
