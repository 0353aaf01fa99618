"""A node with its surroundings, and a session whose images are uploaded."""

from __future__ import annotations

import base64
from dataclasses import replace

from pocketflow import AsyncNode

from bot.domain.attempt import ImageRef
from bot.domain.errors import ImageNotReady, SlackRefused
from bot.domain.failures import FailureKind
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.flow import Shared, shared_store
from tests.fakes import (
    ID,
    FakePublisher,
    FakeSessionStore,
    a_candidate,
    an_attempt,
    generating,
    with_latest,
)

REFUSED = SlackRefused("chat.postMessage", "restricted_action")
NOT_READY = ImageNotReady("chat.postMessage", "invalid_blocks")
UPLOADED = with_attempt(
    generating(),
    replace(
        an_attempt(images=2, delivery_candidate=2), candidates=(a_candidate(1), a_candidate(2))
    ),
)
CANCELLED = replace(with_latest(UPLOADED, failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT)


class Place:
    """A node's surroundings."""

    def __init__(self, session: Session, *, repeated: bool = False) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.shared: Shared = shared_store(session, 2, repeated=repeated)
        for n in (1, 2):
            encoded = base64.b64encode(f"image {n}".encode()).decode()
            self.store.images[ID, ImageRef(1, n)] = encoded

    async def run(self, node: AsyncNode) -> str | None:
        action: str | None = await node.run_async(self.shared)
        return action

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]
