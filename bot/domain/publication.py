"""Everything that affects the publication of an approved image is in this file.

`TRANSITIONS` is the whole machine, beside the one of `bot.domain.stages`: state → event → next
state. Every pair that is not in it is refused. The diagram in the README is made from it by
`python -m bot.domain.publication`.
"""

from __future__ import annotations

from enum import StrEnum

from bot.domain.stages import IllegalEvent


class Publication(StrEnum):
    """Where an approved image stands on its way to the channel.

    `published`: it is posted in the channel. `shown`: the drafts and the status say so. `refused`:
    Slack does not take it, and its owner was told. The states that begin with `retiring` are those
    of a session that was started over, until its messages show that: of an image that was shown
    (`retiring`), only posted, not posted yet, or refused.
    """

    NOT_APPROVED = "not_approved"
    TO_PUBLISH = "to_publish"
    PUBLISHED = "published"
    SHOWN = "shown"
    REFUSED = "refused"
    RETIRING_UNPUBLISHED = "retiring_unpublished"
    RETIRING_REFUSED = "retiring_refused"
    RETIRING_UNSHOWN = "retiring_unshown"
    RETIRING = "retiring"
    RETIRED = "retired"

    @property
    def is_due(self) -> bool:
        """The channel, the drafts or the status do not show the approval yet."""
        return self in {Publication.TO_PUBLISH, Publication.PUBLISHED}

    @property
    def was_refused(self) -> bool:
        return self in {Publication.REFUSED, Publication.RETIRING_REFUSED}

    @property
    def is_unpublished(self) -> bool:
        """The approved image is to be posted."""
        return self in {Publication.TO_PUBLISH, Publication.RETIRING_UNPUBLISHED}

    @property
    def is_retiring(self) -> bool:
        return PublicationEvent.RETIRE in TRANSITIONS[self]

    @property
    def is_started_over(self) -> bool:
        return self.is_retiring or self is Publication.RETIRED


class PublicationEvent(StrEnum):
    """What moves a publication from one state to another."""

    APPROVE = "approve"
    POST = "post"
    REFUSE = "refuse"
    SHOW = "show"
    PUBLISH_AGAIN = "publish_again"
    START_OVER = "start_over"
    RETIRE = "retire"


TRANSITIONS: dict[Publication, dict[PublicationEvent, Publication]] = {
    Publication.NOT_APPROVED: {
        PublicationEvent.APPROVE: Publication.TO_PUBLISH,
    },
    Publication.TO_PUBLISH: {
        PublicationEvent.POST: Publication.PUBLISHED,
        PublicationEvent.REFUSE: Publication.REFUSED,
        PublicationEvent.START_OVER: Publication.RETIRING_UNPUBLISHED,
    },
    Publication.PUBLISHED: {
        PublicationEvent.SHOW: Publication.SHOWN,
        PublicationEvent.START_OVER: Publication.RETIRING_UNSHOWN,
    },
    Publication.SHOWN: {
        PublicationEvent.START_OVER: Publication.RETIRING,
    },
    Publication.REFUSED: {
        PublicationEvent.POST: Publication.PUBLISHED,  # by a run that overlapped
        PublicationEvent.PUBLISH_AGAIN: Publication.TO_PUBLISH,
        PublicationEvent.START_OVER: Publication.RETIRING_REFUSED,
    },
    Publication.RETIRING_UNPUBLISHED: {
        PublicationEvent.POST: Publication.RETIRING_UNSHOWN,
        PublicationEvent.REFUSE: Publication.RETIRING_REFUSED,
        PublicationEvent.RETIRE: Publication.RETIRED,
    },
    Publication.RETIRING_REFUSED: {
        PublicationEvent.POST: Publication.RETIRING_UNSHOWN,
        PublicationEvent.RETIRE: Publication.RETIRED,
    },
    Publication.RETIRING_UNSHOWN: {
        PublicationEvent.RETIRE: Publication.RETIRED,
    },
    Publication.RETIRING: {
        PublicationEvent.RETIRE: Publication.RETIRED,
    },
    Publication.RETIRED: {},
}


def next_publication(state: Publication, event: PublicationEvent) -> Publication:
    """Look the pair up. Raises `IllegalEvent` where the table does not hold it."""
    target = TRANSITIONS[state].get(event)
    if target is None:
        raise IllegalEvent(f"{event} in {state}")
    return target


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Publication.NOT_APPROVED}"]
    for state, events in TRANSITIONS.items():
        lines += [f"    {state} --> {target}: {event}" for event, target in events.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram())  # noqa: T201 - the command's output
