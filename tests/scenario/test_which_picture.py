"""Which picture a message to the bot is about, whatever its event leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.attempt import Source
from bot.domain.images import MAX_BYTES
from bot.domain.refusals import Reason, Refusal
from bot.slack import message_lookup
from bot.views import words
from bot.views.refusal_words import REFUSALS, left_aside
from tests.fakes import a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import direct, interaction, mention, picture, shortcut
from tests.scenario.slack_app import SlackApp

NIGHT = "make it night"
STUB = {"id": "F9", "created": 0, "file_access": "check_file_info"}
PNG_SOURCE = Source("F9", "image/png", 2_000)
PDF = picture("F5", name="a.pdf", mimetype="application/pdf", filetype="pdf")
DRAFT_BLOCKS = [{"type": "image", "slack_file": {"id": "F9"}, "alt_text": "a"}]
SHARED: dict[str, dict[str, Any]] = {
    "files": {"files": [picture()]},
    "a draft of ours": {"message_blocks": [{"message": {"blocks": DRAFT_BLOCKS}}]},
    "files of what it quotes": {"message_blocks": [{"message": {"files": [picture()]}}]},
    "blocks": {"blocks": DRAFT_BLOCKS},
    "forwarded twice": {"attachments": [{"is_share": True, "files": [picture()]}]},
}


async def mentioned(app: SlackApp, text: str = NIGHT, *, thread_ts: str = "", **has: Any) -> None:
    """A mention whose event says nothing of what the message has besides its words."""
    event = mention(text, thread_ts=thread_ts)
    app.messages[event["ts"]] = {"ts": event["ts"], "text": text, **has}
    await app.event(event)


# an event without files


@pytest.mark.parametrize("thread_ts", ["", "4.4"], ids=["channel", "thread"])
async def test_a_mention_without_files_is_looked_up(make_app: MakeApp, thread_ts: str) -> None:
    app = make_app()
    await mentioned(app, thread_ts=thread_ts, files=[picture()])
    assert app.only.source == PNG_SOURCE
    (look,) = app.lookups
    ts = next(iter(app.messages))
    if thread_ts:
        assert (look.method, look.args["ts"]) == ("conversations.replies", thread_ts)
        assert (look.args["oldest"], look.args["latest"]) == (ts, None)
    else:
        assert (look.method, look.args["latest"]) == ("conversations.history", ts)
        assert (look.args["oldest"], look.args["limit"]) == (None, 1)
    assert look.args["inclusive"] is True


async def test_what_the_thread_began_with_is_another_message(make_app: MakeApp) -> None:
    """Slack answers a thread's root before everything else."""
    app = make_app()
    await mentioned(app, "a fox", thread_ts="4.4")
    assert app.only.source is None


async def test_words_alone_start_from_words(make_app: MakeApp) -> None:
    app = make_app()
    await mentioned(app, "a fox")
    assert (app.only.source, app.only.task_input) == (None, "a fox")


async def test_an_event_with_files_needs_no_look(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[picture()])
    assert (app.only.source, app.lookups) == (PNG_SOURCE, [])


async def test_a_picture_without_words_is_seen_too(make_app: MakeApp) -> None:
    app = make_app()
    await mentioned(app, "", files=[picture()])
    assert app.whispers() == [words.what_should_change(direct=False)]
    await mentioned(app, "")
    assert app.whispers()[1:] == [REFUSALS[Reason.EMPTY_MENTION]]


async def test_what_is_looked_up_may_be_refused(make_app: MakeApp) -> None:
    app = make_app()
    await mentioned(app, files=[picture(size=MAX_BYTES + 1)])
    await mentioned(app, files=[PDF])
    assert app.whispers() == [
        REFUSALS[Reason.IMAGE_TOO_LARGE],
        REFUSALS[Reason.IMAGE_TYPE],
    ]
    assert app.store.sessions == {}


@pytest.mark.parametrize("said", ["help", "list", "cancel"])
async def test_what_pays_nothing_is_not_looked_up(make_app: MakeApp, said: str) -> None:
    app = make_app()
    await mentioned(app, said, files=[picture()])
    assert app.lookups == []


async def test_in_a_direct_message_only_a_shared_file_is_looked_up(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("a fox"))
    assert app.lookups == []
    event = direct(NIGHT, subtype="file_share")
    app.messages[event["ts"]] = {**event, "files": [picture()]}
    await app.event(event)
    assert [session.source for session in app.store.sessions.values()] == [None, PNG_SOURCE]


async def test_in_a_sessions_thread_a_picture_starts_a_session(make_app: MakeApp) -> None:
    draft = a_session()
    app = make_app(draft)
    await mentioned(app, thread_ts="1.0", files=[picture()])
    assert app.session == draft
    assert len(app.store.sessions) == 2


# a Slack that does not answer


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "rate_limited", "whatever"])
@pytest.mark.parametrize("thread_ts", ["", "4.4"], ids=["channel", "thread"])
async def test_where_slack_does_not_say_nothing_is_paid(
    make_app: MakeApp, error: str, thread_ts: str
) -> None:
    app = make_app()
    app.fail |= {"conversations.history": error, "conversations.replies": error}
    await mentioned(app, thread_ts=thread_ts, files=[picture()])
    assert app.whispers() == [REFUSALS[Reason.IMAGE_NOT_LOOKED_UP]]
    assert app.store.sessions == {}


async def test_a_slow_slack_is_not_waited_for(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_lookup, "LOOK_WITHIN", 0.02)
    app = make_app()
    app.slow["conversations.history"] = 5
    await mentioned(app)
    assert app.whispers() == [REFUSALS[Reason.IMAGE_NOT_LOOKED_UP]]


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel", "no_permission"])
async def test_where_the_bot_may_not_look_it_goes_by_the_event(
    make_app: MakeApp, error: str
) -> None:
    app = make_app()
    app.fail["conversations.history"] = error
    await mentioned(app, "a fox")
    assert app.only.task_input == "a fox"


async def test_without_the_scope_it_does_not_even_ask(make_app: MakeApp) -> None:
    app = make_app(scopes=frozenset({"chat:write", "commands", "im:history"}))
    await mentioned(app, "a fox")
    assert (app.only.task_input, app.lookups) == ("a fox", [])


# a forwarded message


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED.keys())
@pytest.mark.parametrize("told", [True, False], ids=["in the event", "looked up"])
async def test_a_forwarded_picture_is_meant(
    make_app: MakeApp, shared: dict[str, Any], told: bool
) -> None:
    app = make_app()
    attachments = [{"is_share": True, "is_msg_unfurl": True, **shared}]
    if told:
        await app.mention(NIGHT, attachments=attachments)
    else:
        await mentioned(app, attachments=attachments)
    assert app.only.source is not None
    assert app.only.source.file_id == "F9"


async def test_it_is_in_a_direct_message_too(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct(NIGHT, attachments=[{"is_share": True, "files": [picture()]}]))
    assert app.only.source == PNG_SOURCE


async def test_a_forwarded_image_that_is_not_in_slack_is_refused(make_app: MakeApp) -> None:
    app = make_app()
    await mentioned(app, attachments=[{"is_share": True, "image_url": "https://x.org/a.png"}])
    assert app.whispers() == [REFUSALS[Reason.IMAGE_ELSEWHERE]]


async def test_the_image_of_a_links_preview_is_not_meant(make_app: MakeApp) -> None:
    app = make_app()
    unfurled = {"from_url": "https://x.org/", "image_url": "https://x.org/a.png"}
    await mentioned(app, "a fox like https://x.org/", attachments=[unfurled])
    assert app.only.source is None


# a stub


async def test_the_rest_of_a_stub_is_asked_for(make_app: MakeApp) -> None:
    app = make_app()
    app.files["F9"] = picture()
    await app.mention(NIGHT, files=[STUB])
    assert app.only.source == PNG_SOURCE
    assert [(look.method, look.args["file"]) for look in app.lookups] == [("files.info", "F9")]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("file_not_found", Reason.IMAGE_DELETED),
        ("file_deleted", Reason.IMAGE_DELETED),
        ("access_denied", Reason.IMAGE_NOT_SHARED),
        ("missing_scope", Reason.IMAGE_NOT_SHARED),
        ("ratelimited", Reason.IMAGE_NOT_LOOKED_UP),
    ],
)
async def test_a_stub_that_slack_says_nothing_about(
    make_app: MakeApp, error: str, reason: Reason
) -> None:
    app = make_app()
    app.fail["files.info"] = error
    await app.mention(NIGHT, files=[STUB])
    assert app.whispers() == [REFUSALS[reason]]
    assert app.store.sessions == {}


async def test_a_stub_of_a_document_is_no_picture(make_app: MakeApp) -> None:
    app = make_app()
    app.files |= {"F9": PDF, "F8": picture("F8")}
    await app.mention(NIGHT, files=[STUB, {**STUB, "id": "F8"}])
    assert app.only.source == Source("F8", "image/png", 2_000)
    assert app.whispers() == [words.NOT_PICTURES]


async def test_the_shortcut_asks_for_the_rest_of_a_stub(make_app: MakeApp) -> None:
    app = make_app()
    app.files["F9"] = picture(mimetype="image/heic", name="IMG_1.HEIC")
    await app.send(interaction(shortcut({"files": [STUB]})))
    (opened,) = app.of("views.open")
    assert "IMG_1.HEIC" in opened["view"]["private_metadata"]


# what files may be


TAKEN: dict[str, tuple[dict[str, Any], str]] = {
    "heic": (picture(mimetype="image/heic", filetype="heic"), "image/heic"),
    "heif": (picture(mimetype="image/heif", filetype="heif"), "image/heic"),
    "avif": (picture(mimetype="image/avif", filetype="avif"), "image/avif"),
    "avif of no type": (
        picture(mimetype="application/octet-stream", filetype="binary", name="A.AVIF"),
        "image/avif",
    ),
    "jpg": (picture(mimetype="image/jpg"), "image/jpeg"),
    "in capitals": (picture(mimetype="IMAGE/PNG"), "image/png"),
    "by its name": (picture(mimetype=None, filetype=None, name="photo.jfif"), "image/jpeg"),
    "unknown yet": ({"id": "F9", "name": "file"}, ""),
    "no size": (picture(size=None), "image/png"),
}


@pytest.mark.parametrize(("file", "mime_type"), TAKEN.values(), ids=TAKEN.keys())
async def test_pictures_of_all_kinds_are_taken(
    make_app: MakeApp, file: dict[str, Any], mime_type: str
) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[file])
    assert app.only.source is not None
    assert (app.only.source.file_id, app.only.source.mime_type) == ("F9", mime_type)


NO_PICTURES: dict[str, dict[str, Any]] = {
    "snippet": {"id": "F1", "mode": "snippet", "mimetype": "text/plain", "filetype": "python"},
    "drawing as a snippet": {"id": "F1", "mode": "snippet", "mimetype": "image/svg+xml"},
    "canvas": {"id": "F1", "mode": "quip", "filetype": "quip"},
    "post": {"id": "F1", "mode": "space", "filetype": "space"},
    "film": picture("F1", mimetype="video/mp4", filetype="mp4"),
    "document elsewhere": {
        "id": "F1",
        "mode": "external",
        "is_external": True,
        "mimetype": "application/vnd.google-apps.document",
    },
}


@pytest.mark.parametrize("file", NO_PICTURES.values(), ids=NO_PICTURES.keys())
async def test_what_is_no_picture_is_told_in_words(make_app: MakeApp, file: dict[str, Any]) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[file])
    await app.mention(NIGHT, files=[file, picture()])
    assert app.whispers() == [REFUSALS[Reason.IMAGE_TYPE], words.NOT_PICTURES]
    assert app.only.source == PNG_SOURCE


@pytest.mark.parametrize(
    "files",
    [None, [None], ["F9"], {"id": "F9"}, [{"id": 9, "mimetype": 7, "size": "x"}], [[]]],
    ids=str,
)
async def test_no_form_of_files_breaks_a_listener(make_app: MakeApp, files: object) -> None:
    app = make_app()
    await app.mention("a fox", files=files)
    assert words.SOMETHING_BROKE not in app.whispers()


async def test_one_that_was_used_and_one_that_was_not(make_app: MakeApp) -> None:
    app = make_app()
    gone = {"id": "F1", "mode": "tombstone"}
    await app.mention(NIGHT, files=[gone, picture()])
    assert app.only.source == PNG_SOURCE
    assert app.whispers() == [left_aside(Refusal(Reason.IMAGE_DELETED))]


LINKS = [
    "<https://acme.slack.com/files/U1/F7/a.png>",
    "<https://acme.slack.com/files/U1/F7/a.png|a.png>",
    "<https://files.slack.com/files-pri/T1-F7/a.png>",
    "<https://acme.enterprise.slack.com/files/U1/F7/photo.heic|the photo>",
    "(<https://ACME.slack.com/files/W1/F7/IMG.JPG|IMG.JPG>)",
]


@pytest.mark.parametrize("link", LINKS)
async def test_a_link_of_a_file_is_not_taken_for_words(make_app: MakeApp, link: str) -> None:
    """Nor opened: the bot may see files that the person who pastes the link may not."""
    app = make_app()
    await app.mention(f"make this night {link}")
    answer = await app.command(f"make this night {link.strip('<>()').split('|')[0]}")
    assert app.store.sessions == {}
    assert app.whispers() == [REFUSALS[Reason.IMAGE_LINKED]]
    assert REFUSALS[Reason.IMAGE_LINKED] in json.loads(answer.body)["text"]


@pytest.mark.parametrize(
    "text", ["like <https://slack.com/files|their page>", "<https://x.org/files/U1/F7/a.png>"]
)
async def test_other_links_are_words(make_app: MakeApp, text: str) -> None:
    app = make_app()
    await app.mention(f"a poster {text}")
    assert len(app.store.sessions) == 1
