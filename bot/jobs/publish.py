"""The jobs that show what a person has decided: that an approved image is in the channel, that a
session was discarded or restored."""

from __future__ import annotations

import logging

from bot.domain.attempt import ImageRef
from bot.domain.errors import NoLongerOwed, SlackRefused, SlackUnavailable
from bot.domain.jobs import Job, is_due
from bot.domain.publication import (
    file_replaced,
    final_posted,
    final_shown,
    not_published,
    publish_is_due,
)
from bot.domain.session import Session
from bot.domain.slack_errors import Meaning, meaning_of
from bot.domain.slack_refusals import is_about_file, publication_failure
from bot.domain.stages import Publication
from bot.domain.transitions import discard_shown
from bot.generation.image_copies import ImageCopies
from bot.ports import FinalMessages, SessionRecords
from bot.progress.draft_refresher import DraftRefresher
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus
from bot.views.slack_refusals import not_published_words

log = logging.getLogger(__name__)


class ShowAttemptEnd:
    """Shows how the newest attempt of a session ended: no preview, its drafts and its status as
    they now are. An earlier run may have recorded the end and not shown it."""

    def __init__(self, previews: LivePreviews, drafts: DraftRefresher, status: LiveStatus) -> None:
        self._previews = previews
        self._drafts = drafts
        self._status = status

    async def __call__(self, session: Session) -> None:
        """Raises `SlackUnavailable`."""
        await self._previews.clear(session.id, session.latest.number)
        await self._drafts.refresh(session.id)
        if not await self._status.show_now(session.id):
            raise SlackUnavailable("the status")


class ShowDiscard:
    """The messages say that the session was discarded, or that it is up for review again."""

    def __init__(self, sessions: SessionRecords, show_end: ShowAttemptEnd) -> None:
        self._sessions = sessions
        self._show_end = show_end

    async def __call__(self, session: Session, job: Job, repeated: bool) -> None:
        if not is_due(session, job):
            log.info("%s: nothing left to do", job.id)
            return
        await self._show_end(session)
        await self._sessions.update(session.id, lambda s: discard_shown(s, session.discard))
        log.info("the session is shown as %s", "discarded" if session.discarded else "restored")


class Publish:
    """The approved image → thread and channel; the drafts and the root say so."""

    def __init__(
        self,
        sessions: SessionRecords,
        publisher: FinalMessages,
        copies: ImageCopies,
        show_end: ShowAttemptEnd,
        bot_name: str = "",
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._copies = copies
        self._show_end = show_end
        self._bot_name = bot_name

    async def __call__(self, session: Session, job: Job, repeated: bool) -> None:
        if not publish_is_due(session, job.run):
            log.info("%s: nothing left to do", job.id)
            return
        session = await self.post(session, repeated)
        await self._show_end(session)
        await self._sessions.update(session.id, final_shown)

    async def post(self, session: Session, repeated: bool) -> Session:
        """Post the approved image, unless an earlier run did, or said that it cannot be."""
        if session.publication is not Publication.TO_PUBLISH:
            return session
        try:
            ts = await self._post_final(session, repeated)
        except NoLongerOwed:
            log.info("another run has published the approved image")
            return await self._sessions.load(session.id)
        except SlackRefused as error:
            log.warning("an approved image could not be published: %s", error)
            kind = publication_failure(error, session.place)
            words = not_published_words(session, kind, self._bot_name)
            await self._publisher.tell_owner(session, words)
            return await self._sessions.update(session.id, lambda s: not_published(s, words))
        session = await self._sessions.update(session.id, lambda s: final_posted(s, ts))
        log.info("published")
        return session

    async def _post_final(self, session: Session, repeated: bool) -> str:
        """A file that was deleted is uploaded anew, where there still is a copy of it. So is
        one that was shared as a plain file, whose message is gone."""

        async def owed() -> bool:
            newest = await self._sessions.load(session.id)
            return newest.publication is Publication.TO_PUBLISH

        try:
            return await self._publisher.post_final(session, repeated=repeated, still_owed=owed)
        except SlackRefused as error:
            image = ImageRef(session.final_result, session.final_candidate)
            as_file = session.attempt(image.attempt).as_file
            lost_link = as_file and meaning_of(error.code) is Meaning.MESSAGE
            if not (is_about_file(error) or lost_link):
                raise
            data = await self._copies.load(session, image)
            if not data:
                raise
        log.warning("the file of an approved image is gone: it is uploaded anew")
        file_id = await self._publisher.upload(session, image, data)
        session = await self._sessions.update(session.id, lambda s: file_replaced(s, file_id))
        return await self._publisher.post_final(
            session, repeated=repeated, uploaded_anew=True, still_owed=owed
        )
