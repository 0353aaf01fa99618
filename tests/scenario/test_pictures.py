"""Starting from a picture: attached to a mention, or by the shortcut on a message."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.attempt import ImageRef, Source
from bot.domain.options import Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids, words
from bot.views.refusal_words import REFUSALS, left_aside
from bot.views.source_pictures import Picture, SourcePictures
from tests.fakes import CHANNEL, ID, OWNER, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import direct, interaction, mention, picture, shortcut

NIGHT = "make it night"
PDF = picture("F5", name="a.pdf", mimetype="application/pdf", filetype="pdf")
WILL_NOT_DO: dict[str, tuple[dict[str, Any], Reason]] = {
    "type": (picture(mimetype="image/tiff", filetype="tiff"), Reason.IMAGE_TYPE),
    "raw photo": (picture(mimetype="image/x-adobe-dng", filetype="dng"), Reason.IMAGE_TYPE),
    "pixels of a WebP": (
        picture(mimetype="image/webp", original_w=6000, original_h=6000),
        Reason.IMAGE_TOO_MANY_PIXELS,
    ),
    "vector": (picture(mimetype="image/svg+xml", filetype="svg"), Reason.IMAGE_TYPE),
    "size": (picture(size=10**9), Reason.IMAGE_TOO_LARGE),
    "pixels": (picture(original_w=8000, original_h=8000), Reason.IMAGE_TOO_MANY_PIXELS),
    "external": (picture(mode="external", is_external=True), Reason.IMAGE_ELSEWHERE),
    "external, of no type": (
        {"id": "F9", "mode": "external", "is_external": True},
        Reason.IMAGE_ELSEWHERE,
    ),
    "deleted": ({"id": "F9", "mode": "tombstone"}, Reason.IMAGE_DELETED),
    "hidden": ({"id": "F9", "mode": "hidden_by_limit"}, Reason.IMAGE_DELETED),
    "deleted meanwhile": (picture(deleted=True), Reason.IMAGE_DELETED),
    "access denied": ({"id": "F9", "file_access": "access_denied"}, Reason.IMAGE_NOT_SHARED),
    "no file": ({"id": "F9", "file_access": "file_not_found"}, Reason.IMAGE_DELETED),
    "a stub of nothing": ({"id": "F9", "file_access": "check_file_info"}, Reason.IMAGE_DELETED),
    "without an id": ({"mimetype": "image/png"}, Reason.IMAGE_NOT_SHARED),
}


async def test_a_mention_with_a_picture_starts_from_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[picture()])
    session = app.only
    assert session.source == Source("F9", "image/png", 2_000)
    assert (session.latest.change, session.latest.base) == (NIGHT, ImageRef(0))
    assert session.stage is Stage.GENERATING
    assert app.calls == []


async def test_a_direct_message_with_a_picture_starts_from_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct(NIGHT, files=[picture()], subtype="file_share"))
    assert app.only.source == Source("F9", "image/png", 2_000)


async def test_in_a_sessions_thread_a_picture_is_a_session_of_its_own(make_app: MakeApp) -> None:
    draft = a_session()
    app = make_app(draft)
    await app.mention(NIGHT, files=[picture()], thread_ts="1.0")
    assert app.session == draft
    (new,) = [s for s in app.store.sessions.values() if s.id != ID]
    assert (new.thread_ts, new.source) == ("1.0", Source("F9", "image/png", 2_000))


async def test_a_picture_without_words_asks_what_should_change(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("", files=[picture()])
    assert app.whispers() == [words.what_should_change(direct=False)]
    assert app.store.sessions == {}


async def test_of_several_pictures_the_first_is_taken_and_that_is_said(make_app: MakeApp) -> None:
    app = make_app()
    unfit = picture("F7", mimetype="image/tiff")
    await app.mention(NIGHT, files=[unfit, picture("F8"), picture("F9")])
    assert app.only.source == Source("F8", "image/png", 2_000)
    assert app.whispers() == [words.ONE_PICTURE, left_aside(Refusal(Reason.IMAGE_TYPE))]


async def test_other_files_are_left_aside_and_that_is_said(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[PDF, picture("F8")])
    assert app.only.source == Source("F8", "image/png", 2_000)
    assert app.whispers() == [words.NOT_PICTURES]


async def test_files_among_which_there_is_no_picture_start_nothing(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("a fox", files=[PDF])
    assert app.whispers() == [REFUSALS[Reason.IMAGE_TYPE]]
    assert app.store.sessions == {}


async def test_a_file_that_has_no_type_yet_goes_by_its_name(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[picture(mimetype="")])
    assert app.only.source == Source("F9", "image/png", 2_000)


@pytest.mark.parametrize(("file", "reason"), WILL_NOT_DO.values(), ids=WILL_NOT_DO.keys())
async def test_an_attached_picture_that_will_not_do_starts_nothing(
    make_app: MakeApp, file: dict[str, Any], reason: Reason
) -> None:
    app = make_app()
    await app.mention(NIGHT, files=[file])
    assert app.whispers() == [REFUSALS[reason]]
    assert app.store.sessions == {}


async def test_without_the_scope_no_picture_is_promised(make_app: MakeApp) -> None:
    app = make_app(scopes=frozenset({"chat:write", "commands"}))
    await app.mention(NIGHT, files=[picture()])
    await app.send(interaction(shortcut({"files": [picture()]})))
    said = [*app.whispers(), *(call["text"] for call in app.of("respond"))]
    assert said == [REFUSALS[Reason.IMAGE_NOT_SHARED]] * 2
    assert app.store.sessions == {}


async def test_the_same_mention_again_starts_from_its_picture_once(make_app: MakeApp) -> None:
    app = make_app()
    said = mention(NIGHT, files=[picture()], thread_ts="4.4")
    for _ in "abc":
        assert (await app.event(said)).status == 200
    assert len(app.store.sessions) == 1
    assert len(app.queue.added) == 1


async def test_from_an_image_in_the_channel_a_session_starts_in_the_channel(
    make_app: MakeApp,
) -> None:
    """Nobody would see what begins in the thread that the approved image was sent from."""
    app = make_app()
    broadcast = {"files": [picture()], "thread_ts": "4.4", "subtype": "thread_broadcast"}
    await app.send(interaction(shortcut(broadcast)))
    metadata = app.of("views.open")[0]["view"]["private_metadata"]
    brought = SourcePictures.from_metadata(metadata)
    assert brought is not None
    assert (brought.channel, brought.thread_ts, brought.message_ts) == (CHANNEL, "", "")


async def test_the_shortcut_opens_a_form_about_the_picture(make_app: MakeApp) -> None:
    app = make_app()
    app.store.defaults["T1", OWNER] = Options(count=2)
    request = shortcut({"files": [picture()], "thread_ts": "4.4"})
    response = await app.send(interaction(request))
    assert (response.status, response.body) == (200, "")
    (opened,) = app.of("views.open")
    assert opened["trigger_id"] == request["trigger_id"]
    view = opened["view"]
    assert view_problems(view) == []
    assert view["callback_id"] == ids.IMAGE_FORM
    held = Picture("F9", "image/png", 2_000, "F9.png")
    assert SourcePictures.from_metadata(view["private_metadata"]) == SourcePictures(
        CHANNEL, "4.4", "5.5", (held,)
    )
    elements = [block.get("element", {}) for block in view["blocks"]]
    assert "2" in [e["initial_option"]["value"] for e in elements if "initial_option" in e]
    assert app.store.sessions == {}


@pytest.mark.parametrize(
    "message",
    [
        {"blocks": [{"type": "image", "slack_file": {"id": "F9"}, "alt_text": "a"}]},
        {"attachments": [{"is_share": True, "files": [picture()]}]},
        {"files": [PDF, picture()]},
        {"files": [picture("F1", mimetype="image/tiff"), picture()]},
        {
            "files": [picture()],
            "blocks": [{"type": "image", "slack_file": {"id": "F9"}}, {"type": "divider"}],
        },
    ],
    ids=["a draft of ours", "forwarded", "beside others", "beside one that won't do", "twice"],
)
async def test_the_shortcut_finds_the_picture(make_app: MakeApp, message: dict[str, Any]) -> None:
    app = make_app()
    await app.send(interaction(shortcut(message)))
    (opened,) = app.of("views.open")
    brought = SourcePictures.from_metadata(opened["view"]["private_metadata"])
    assert brought is not None
    assert [each.file_id for each in brought.files] == ["F9"]


NO_PICTURE: dict[str, tuple[dict[str, Any], Reason]] = {
    "text": ({"text": "hello"}, Reason.NO_IMAGE_THERE),
    "nulls": ({"files": None, "blocks": None, "attachments": None}, Reason.NO_IMAGE_THERE),
    "a document": ({"files": [PDF]}, Reason.NO_IMAGE_THERE),
    "an image elsewhere": (
        {"blocks": [{"type": "image", "image_url": "https://x.org/a.png", "alt_text": "a"}]},
        Reason.IMAGE_ELSEWHERE,
    ),
    **{name: ({"files": [file]}, reason) for name, (file, reason) in WILL_NOT_DO.items()},
}


@pytest.mark.parametrize(("message", "reason"), NO_PICTURE.values(), ids=NO_PICTURE.keys())
async def test_a_message_without_a_picture_that_will_do_is_told_so_in_private(
    make_app: MakeApp, message: dict[str, Any], reason: Reason
) -> None:
    app = make_app()
    response = await app.send(interaction(shortcut(message)))
    assert (response.status, response.body) == (200, "")
    (said,) = app.of("respond")
    assert said["text"] == REFUSALS[reason]
    assert (said["response_type"], said["replace_original"]) == ("ephemeral", False)
    assert app.of("views.open") == []


async def test_what_the_response_url_does_not_take_is_said_in_the_channel(
    make_app: MakeApp,
) -> None:
    app = make_app()
    app.fail["respond"] = "expired"
    await app.send(interaction(shortcut({"text": "hello"})))
    assert app.whispers(channel=CHANNEL, user=OWNER) == [REFUSALS[Reason.NO_IMAGE_THERE]]


async def test_a_form_that_does_not_open_is_apologised_for(make_app: MakeApp) -> None:
    app = make_app()
    app.fail["views.open"] = "expired_trigger_id"
    response = await app.send(interaction(shortcut({"files": [picture()]})))
    assert response.status == 200
    assert [call["text"] for call in app.of("respond")] == [words.SOMETHING_BROKE]


async def test_a_shortcut_that_is_delivered_twice_opens_one_form(make_app: MakeApp) -> None:
    app = make_app()
    app.fail["views.open"] = "exchanged_trigger_id"
    await app.send(interaction(shortcut({"files": [picture()]})))
    assert app.of("respond") == []
