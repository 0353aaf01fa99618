"""Sessions as far as the publisher has shown them in the simulated Slack."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.adapters.slack import SlackPublisher, slack_client, slack_session
from bot.domain import generation, transitions
from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.session import Session, with_attempt
from bot.sandbox import SimulatedSlack
from tests.fakes import an_attempt, generating
from tests.support.samples import png

IMAGE = png()


@asynccontextmanager
async def publisher_for(slack: SimulatedSlack, **options: Any) -> AsyncIterator[SlackPublisher]:
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        yield SlackPublisher(client, http, **options)


def place(slack: SimulatedSlack, session: Session, channel: str = "general") -> Session:
    """The session, of Alice, in that channel, at this time."""
    return replace(
        session,
        team=slack.team_id,
        user=slack.user("alice").id,
        channel=slack.channel(channel).id,
        approved_by=slack.user("alice").id if session.approved_by else "",
        created_at=time.time(),
    )


async def in_thread(slack: SimulatedSlack, publisher: SlackPublisher, session: Session) -> Session:
    """The session with its root posted."""
    session = place(slack, replace(session, root_ts="", thread_ts=""))
    ts = await publisher.post_root(session, 0, repeated=False)
    return replace(session, root_ts=ts, thread_ts=ts)


def image_of(session: Session, candidate: int = 1) -> ImageRef:
    """An image of the newest attempt."""
    return ImageRef(session.latest.number, candidate)


def with_candidate(session: Session, number: int = 1, **changes: Any) -> Session:
    """The session with a candidate of its newest attempt changed."""
    candidate = replace(session.latest.candidate(number), **changes)
    return with_attempt(session, session.latest.with_candidate(candidate))


async def uploaded(publisher: SlackPublisher, session: Session, number: int = 1) -> Session:
    """The session with the image of a candidate made and uploaded."""
    session = with_candidate(session, number, width=2, height=1, mime_type="image/png")
    file_id = await publisher.upload(session, image_of(session, number), IMAGE)
    return with_candidate(session, number, file_id=file_id)


async def with_file(slack: SimulatedSlack, publisher: SlackPublisher) -> Session:
    """A session with its root posted and its image uploaded."""
    return await uploaded(publisher, await in_thread(slack, publisher, generating()))


async def with_files(slack: SimulatedSlack, publisher: SlackPublisher) -> Session:
    """A session with three candidates, of which the second failed."""
    session = generating()
    session = replace(session, attempts=(an_attempt(images=3),))
    session = await in_thread(slack, publisher, session)
    session = await uploaded(publisher, session)
    session = with_candidate(session, 2, failure=FailureKind.MODERATION)
    return await uploaded(publisher, session, 3)


async def reviewed(slack: SimulatedSlack, publisher: SlackPublisher) -> Session:
    """A session with its draft posted."""
    session = await with_file(slack, publisher)
    return await posted(publisher, session)


async def posted(publisher: SlackPublisher, session: Session) -> Session:
    """The session with its newest draft posted."""
    number, prompt = session.latest.number, session.latest.prompt
    ts = await publisher.post_draft(session, number, repeated=False)
    return generation.draft_posted(session, number, ts, time.time(), prompt)


async def approved(slack: SimulatedSlack, publisher: SlackPublisher) -> Session:
    """A session with its draft posted and approved."""
    session = await reviewed(slack, publisher)
    return transitions.approve(session, ImageRef(1), session.user, time.time())
