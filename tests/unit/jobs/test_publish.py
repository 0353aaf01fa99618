"""The approved image in the channel, and that Start over is taken off it again."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.discard import discard, undo_discard
from bot.domain.errors import ImageNotReady, SlackRefused, SlackUnavailable
from bot.domain.failures import FailureKind
from bot.domain.jobs import due_jobs
from bot.domain.publication import final_posted, publish_again
from bot.domain.session import Session
from bot.domain.stages import Discard, Publication, Stage
from tests.fakes import ID, a_session, with_latest
from tests.unit.jobs.setup import (
    Worker,
    publish,
)

REFUSED = SlackRefused("chat.update", "message_not_found")
AWAY = SlackUnavailable("away")


async def test_a_publication_posts_the_final_image_and_marks_all_drafts_and_the_root() -> None:
    worker = Worker(a_session(Stage.FINAL, attempts=2))
    await worker.run(publish(2))
    assert worker.publisher.names() == [
        "post_final",
        "refresh_draft",
        "refresh_draft",
        "show_status",
    ]
    assert [s.details["number"] for s in worker.publisher.of("refresh_draft")] == [2, 1]
    assert worker.session.final_ts == "post_final:0"
    assert worker.session.publication is Publication.SHOWN


async def test_a_publication_that_died_after_its_post_does_the_rest_and_posts_nothing() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["refresh_draft"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(publish())
    assert worker.session.final_ts == "post_final:0"
    await worker.run(publish(), True)
    assert worker.publisher.names()[2:] == ["refresh_draft", "show_status"]
    assert len(worker.publisher.of("post_final")) == 1
    assert due_jobs(worker.session) == ()


async def test_a_publication_is_owed_until_its_drafts_show_it_however_often_workers_die() -> None:
    worker = Worker(a_session(Stage.FINAL))
    for run in range(3):
        worker.publisher.failures["refresh_draft"] = [AWAY]
        with pytest.raises(SlackUnavailable):
            await worker.run(publish(run=run))
        assert due_jobs(worker.session) == (publish(),)
    await worker.run(publish(run=3))
    assert due_jobs(worker.session) == ()


@pytest.mark.parametrize("refusals", [[REFUSED], [REFUSED, REFUSED]])
async def test_a_publication_that_died_after_it_was_refused_posts_and_tells_nothing_more(
    refusals: list[Exception],
) -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures = {"post_final": refusals, "refresh_draft": [AWAY]}
    with pytest.raises(SlackUnavailable):
        await worker.run(publish())
    await worker.run(publish(), True)
    assert worker.without_status() == ["post_final", "tell_owner", "refresh_draft", "refresh_draft"]
    assert (worker.session.final_ts, worker.session.publication) == ("", Publication.REFUSED)
    assert "Try again" in worker.session.error_message


async def test_what_is_asked_for_again_while_it_is_shown_as_refused_is_published() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [REFUSED]
    refresh = worker.publisher.refresh_draft
    pressed: list[Session] = []

    async def pressed_meanwhile(session: Session, number: int) -> None:
        if not pressed:
            pressed.append(await worker.store.update(ID, lambda s: publish_again(s, 1, 130.0)))
        await refresh(session, number)

    worker.publisher.refresh_draft = pressed_meanwhile  # type: ignore[method-assign]
    await worker.run(publish())
    assert due_jobs(worker.session) == (publish(run=1),)
    await worker.run(publish(), True)  # its first run comes again, too late
    assert len(worker.publisher.of("post_final")) == 1
    await worker.run(publish(run=1))
    assert (worker.session.final_ts, worker.session.error_message) == ("post_final:0", "")
    assert due_jobs(worker.session) == ()


async def test_a_publication_that_died_marks_an_older_draft_too() -> None:
    """Approved after a later attempt had failed."""
    failed = with_latest(
        a_session(Stage.FINAL, attempts=2), message_ts="", failure=FailureKind.QUOTA
    )
    worker = Worker(
        replace(failed, final_result=1, final_ts="9.9", publication=Publication.PUBLISHED)
    )
    await worker.run(publish(1), True)
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}
    assert worker.publisher.shown[-1].what == "show_status"


async def test_a_repeated_publication_looks_for_its_message_first() -> None:
    worker = Worker(a_session(Stage.FINAL))
    await worker.run(publish(run=1))
    assert worker.publisher.shown[0].details["repeated"] is True


async def test_a_final_image_that_cannot_be_posted_is_told_its_owner() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [SlackRefused("chat.postMessage", "is_archived")]
    await worker.run(publish())
    assert worker.without_status() == ["post_final", "tell_owner", "refresh_draft"]
    assert "approved" in worker.session.error_message
    assert worker.session.final_ts == ""


async def test_a_draft_that_cannot_be_marked_does_not_undo_the_final() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["refresh_draft"] = [REFUSED]
    await worker.run(publish())
    assert worker.publisher.names()[-1] == "show_status"
    assert worker.session.final_ts


GONE = ImageNotReady("chat.postMessage", "invalid_blocks")
ENCODED = base64.b64encode(b"the image").decode()


@pytest.mark.parametrize(
    "error",
    [
        GONE,
        *(SlackRefused("chat.postMessage", code) for code in ("file_deleted", "file_not_found")),
    ],
)
async def test_a_file_that_is_gone_is_uploaded_anew(error: SlackRefused) -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.store.images[ID, ImageRef(1)] = ENCODED
    worker.publisher.failures["post_final"] = [error]
    await worker.run(publish())
    assert worker.publisher.names()[:3] == ["post_final", "upload", "post_final"]
    assert worker.publisher.of("upload")[0].details["data"] == b"the image"
    final = worker.publisher.of("post_final")[1]
    assert final.details["uploaded_anew"]
    assert final.session.final_file_id == "upload:1"
    assert worker.session.latest.candidate(1).file_id == "F1"
    assert worker.session.publication is Publication.SHOWN


async def test_a_plain_file_whose_message_is_gone_is_uploaded_anew() -> None:
    worker = Worker(with_latest(a_session(Stage.FINAL), as_file=True))
    worker.store.images[ID, ImageRef(1)] = ENCODED
    worker.publisher.failures["post_final"] = [
        SlackRefused("chat.getPermalink", "message_not_found")
    ]
    await worker.run(publish())
    assert worker.session.publication is Publication.SHOWN


async def test_a_file_that_cannot_be_posted_is_uploaded_anew_from_slacks_copy() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.files.kept["F1"] = b"from Slack"
    worker.publisher.failures["post_final"] = [GONE]
    await worker.run(publish())
    assert worker.publisher.of("upload")[0].details["data"] == b"from Slack"
    assert worker.session.publication is Publication.SHOWN


async def test_a_slack_that_is_away_with_the_only_copy_is_waited_for() -> None:
    worker = Worker(a_session(Stage.FINAL))

    async def away(file_id: str) -> bytes:
        raise AWAY

    worker.files.download = away  # type: ignore[method-assign]
    worker.publisher.failures["post_final"] = [GONE]
    with pytest.raises(SlackUnavailable):
        await worker.run(publish())
    assert worker.publisher.of("tell_owner") == []
    assert due_jobs(worker.session) == (publish(),)


@pytest.mark.parametrize("error", [GONE, SlackRefused("chat.postMessage", "file_is_deleted")])
async def test_a_file_of_which_there_is_no_copy_is_said_to_be_gone(error: SlackRefused) -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [error]
    await worker.run(publish())
    assert worker.publisher.of("upload") == []
    (told,) = worker.publisher.of("tell_owner")
    assert "its file was deleted in Slack" in told.details["words"]
    assert "nvite" not in told.details["words"]
    assert worker.session.publication is Publication.REFUSED


async def test_an_upload_that_is_refused_says_why() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.store.images[ID, ImageRef(1)] = ENCODED
    worker.publisher.failures["post_final"] = [GONE]
    worker.publisher.failures["upload"] = [SlackRefused("upload", "storage_limit_reached")]
    await worker.run(publish())
    assert "no room left" in worker.session.error_message


@pytest.mark.parametrize(
    ("code", "says", "not_said"),
    [
        ("not_in_channel", "/invite @imagine", "another channel"),
        ("is_archived", "archived", "nvite"),
        ("missing_scope", "whoever runs this bot", "nvite"),
        ("ekm_access_denied", "whoever runs this bot", "nvite"),
        ("restricted_action", "rules of", "nvite"),
        ("mercury_in_retrograde", "whoever runs this bot", "nvite"),
    ],
)
async def test_the_words_fit_the_refusal(code: str, says: str, not_said: str) -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [SlackRefused("chat.postMessage", code)]
    await worker.run(publish())
    assert says in worker.session.error_message
    assert not_said not in worker.session.error_message


@pytest.mark.parametrize("posted", [True, False])
async def test_a_final_that_another_run_posted_while_it_waited_for_its_turn_is_not_posted(
    posted: bool,
) -> None:
    session = a_session(Stage.FINAL)
    worker = Worker(session)

    def meanwhile() -> None:
        if posted:
            worker.store.sessions[session.id] = final_posted(session, "9.0")

    worker.publisher.meanwhile = meanwhile
    await worker.run(publish())
    assert len(worker.publisher.of("post_final")) == (not posted)
    assert worker.session.publication is Publication.SHOWN


# discarding

DISCARDED = discard(a_session(attempts=2), 2, "U1", "w", 50.0)


@pytest.mark.parametrize("undone", [False, True])
async def test_discard_and_undo_are_shown_by_the_drafts_and_the_root(undone: bool) -> None:
    session = undo_discard(DISCARDED, "U1", 51.0) if undone else DISCARDED
    worker = Worker(session)
    (job,) = due_jobs(session)
    await worker.run(job)
    assert worker.publisher.names() == ["refresh_draft", "refresh_draft", "show_status"]
    assert worker.session.discard is (Discard.KEPT if undone else Discard.DISCARD_SHOWN)
    assert due_jobs(worker.session) == ()
    await worker.run(job)
    assert len(worker.publisher.names()) == 3


async def test_a_worker_that_died_before_it_showed_the_discard_is_replaced() -> None:
    worker = Worker(DISCARDED)
    worker.publisher.failures["refresh_draft"] = [AWAY]
    (job,) = due_jobs(DISCARDED)
    with pytest.raises(SlackUnavailable):
        await worker.run(job)
    assert due_jobs(worker.session) == (job,)
    await worker.run(job, True)
    assert worker.session.discard is Discard.DISCARD_SHOWN
