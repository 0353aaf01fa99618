"""The bytes of images of ours, wherever a copy is."""

from __future__ import annotations

import logging

import pybase64

from bot.domain.attempt import ImageRef
from bot.domain.failures import GenerationError
from bot.domain.session import Session
from bot.ports import Files, SessionRecords

log = logging.getLogger(__name__)


def files_of(session: Session, image: ImageRef) -> tuple[str, ...]:
    """Slack's files of an image, the newest first: that of an approved image may have been uploaded
    anew."""
    file_id = session.attempt(image.attempt).candidate(image.candidate).file_id
    final = session.final_file_id if image == session.final_image else ""
    return tuple(dict.fromkeys(each for each in (final, file_id) if each))


class ImageCopies:
    """Loads an image as it was made: from the store, else from Slack."""

    def __init__(self, sessions: SessionRecords, files: Files) -> None:
        self._sessions = sessions
        self._files = files

    async def load(self, session: Session, image: ImageRef) -> bytes | None:
        """The bytes; None where neither has them, or Slack does not give them. Raises
        `StoreUnavailable` and `SlackUnavailable`."""
        if encoded := await self._sessions.load_image(session.id, image):
            return pybase64.b64decode(encoded)
        for file_id in files_of(session, image):
            try:
                data = await self._files.download(file_id)
            except GenerationError as error:
                log.warning("Slack does not have a copy of an image: %s", error.kind)
            else:
                log.info("an image comes from Slack's copy", extra={"file": file_id})
                return data
        return None
