from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiohttp import ClientError
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.slack.listeners import ListenerDependencies, register
from bot.slack.request_tracking import (
    PATIENCE,
    InFlightRequests,
    count_slack_errors,
    kind_and_name,
    track_listener,
    track_request,
    wait_for_acks,
)
from bot.telemetry import metrics
from bot.views import ids
from bot.views.blocks import numbered
from tests.support.metrics import Counted

HOSTILE = "<!channel> a very private prompt"


def click(action_id: Any) -> dict[str, Any]:
    return {"type": "block_actions", "actions": [{"action_id": action_id}]}


def form(callback_id: Any) -> dict[str, Any]:
    return {"type": "view_submission", "view": {"callback_id": callback_id}}


def event(name: Any) -> dict[str, Any]:
    return {"type": "event_callback", "event": {"type": name}}


KNOWN = [
    ({"command": ids.COMMAND, "text": HOSTILE}, ("slash_command", "/imagine")),
    *[(click(numbered(ids.APPROVE, n)), ("block_action", "approve")) for n in (1, 2, 3, 4)],
    (click("use_this_2"), ("block_action", "use_this")),
    (click("refine_4"), ("block_action", "refine")),
    (click(ids.REGENERATE), ("block_action", "regenerate")),
    (click(ids.EDIT_PROMPT), ("block_action", "edit_prompt")),
    (click(ids.CANCEL), ("block_action", "cancel")),
    (click(ids.TRY_AGAIN), ("block_action", "try_again")),
    (click(ids.START_OVER), ("block_action", "start_over")),
    (click(ids.DISCARD), ("block_action", "discard")),
    (click(ids.UNDO), ("block_action", "undo")),
    (click(ids.EDIT_IMAGE), ("block_action", "edit_image")),
    (click(ids.USE_PICTURE), ("block_action", "use_picture")),
    (click(ids.WORDS_ONLY), ("block_action", "words_only")),
    (click(f"{ids.REFINE_WITH}_1_2"), ("block_action", "refine_with")),
    (click(ids.OPEN_FORM), ("block_action", "open_form")),
    (click(ids.FEWER_IMAGES), ("block_action", "fewer_images")),
    (click(ids.CANCEL_WAITING), ("block_action", "cancel_waiting")),
    (click(ids.KEEP_LAST), ("block_action", "keep_last")),
    (click("home_page_pictures_next"), ("block_action", "home_page")),
    (click("default_option_size"), ("block_action", "default_option")),
    (form(ids.PROMPT_FORM), ("view_submission", "prompt_form")),
    (form(ids.EDIT_FORM), ("view_submission", "edit_form")),
    (form(ids.REFINE_FORM), ("view_submission", "refine_form")),
    (form(ids.IMAGE_FORM), ("view_submission", "image_form")),
    (form(ids.LIMITS_FORM), ("view_submission", "limits_form")),
    (click(ids.LIMITS_PERSON), ("block_action", "limits_person")),
    ({"type": "message_action", "callback_id": ids.DIRECT_IMAGE}, ("shortcut", "direct_image")),
    (event("app_mention"), ("event", "app_mention")),
    (event("message"), ("event", "message")),
    *(
        (event(name), ("event", name))
        for name in (
            "app_home_opened",
            "app_uninstalled",
            "channel_archive",
            "channel_deleted",
            "channel_left",
            "group_archive",
            "group_deleted",
            "group_left",
            "member_left_channel",
            "tokens_revoked",
        )
    ),
]


@pytest.mark.parametrize(("body", "expected"), KNOWN)
def test_a_request_is_named_by_what_it_is(body: object, expected: tuple[str, str]) -> None:
    assert kind_and_name(body) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"command": f"/{HOSTILE}"}, "slash_command"),
        ({"command": ["/imagine"]}, "slash_command"),
        ({"command": None}, "slash_command"),
        (click(HOSTILE), "block_action"),
        (click("approve_5"), "block_action"),
        (click("approve_2 " + HOSTILE), "block_action"),
        (click("home_page_"), "block_action"),
        (click({"approve": 1}), "block_action"),
        (click(None), "block_action"),
        ({"type": "block_actions"}, "block_action"),
        ({"type": "block_actions", "actions": []}, "block_action"),
        ({"type": "block_actions", "actions": HOSTILE}, "block_action"),
        (form(HOSTILE), "view_submission"),
        (form([]), "view_submission"),
        ({"type": "shortcut", "callback_id": HOSTILE}, "shortcut"),
        ({"type": "message_action", "callback_id": {}}, "shortcut"),
        (event(HOSTILE), "event"),
        (event(["message"]), "event"),
    ],
)
def test_what_the_program_does_not_know_is_other(body: object, kind: str) -> None:
    assert kind_and_name(body) == (kind, "other")


@pytest.mark.parametrize(
    "body",
    [None, [], "", HOSTILE, {}, {"type": HOSTILE}, {"type": "url_verification"}, {"type": ["a"]},
     {"type": "view_closed", "view": {"callback_id": "x"}}, {"type": "event_callback"}],
)  # fmt: skip
def test_what_is_no_request_of_a_person_is_not_counted(body: object) -> None:
    counted = Counted()
    with track_request(InFlightRequests(), body) as tracked:
        tracked.acked = True
    assert counted.changed("imagine_") == {}


def test_a_thousand_inventions_are_one_series() -> None:
    counted = Counted()
    for number in range(1_000):
        for body in ({"command": f"/{number}"}, click(f"approve_{number + 5}"), form(str(number))):
            with track_request(InFlightRequests(), body) as tracked:
                tracked.acked = True
    assert sorted(counted.changed("imagine_requests_total").values()) == [1_000, 1_000, 1_000]


def test_every_listener_is_known_by_name() -> None:
    """What is registered later would silently be counted as other."""
    registered = RecordingApp()
    nobody: Any = None
    register(cast("AsyncApp", registered), ListenerDependencies(nobody, nobody, nobody, "", nobody))
    assert registered.names
    for kind, name in registered.names:
        assert name in {known for _, (of, known) in KNOWN if of == kind}, name


class RecordingApp:
    """Stands in for Bolt's app, and notes what listeners are registered for."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []

    def _note(self, kind: str, constraint: Any) -> Any:
        pattern = getattr(constraint, "pattern", None)
        named = {b["actions"][0]["action_id"]: n for b, (k, n) in KNOWN if k == "block_action"}
        matching = [name for action, name in named.items() if pattern and constraint.match(action)]
        self.names.append((kind, str(constraint) if pattern is None else (matching or [""])[0]))
        return lambda listener: listener

    def command(self, constraint: Any, **_: Any) -> Any:
        return self._note("slash_command", constraint)

    def action(self, constraint: Any, **_: Any) -> Any:
        return self._note("block_action", constraint)

    def view(self, constraint: Any, **_: Any) -> Any:
        return self._note("view_submission", constraint)

    def event(self, constraint: Any, **_: Any) -> Any:
        return self._note("event", constraint)

    def message_shortcut(self, constraint: Any, **_: Any) -> Any:
        return self._note("shortcut", constraint)


async def test_a_request_counts_once_when_its_ack_is_out_and_its_listener_has_ended() -> None:
    counted, goes_on = Counted(), asyncio.Event()
    series = {"kind": "block_action", "name": "keep_last"}

    async def listen() -> None:
        with track_listener() as tracked:
            await goes_on.wait()
            tracked.outcome = "unavailable"

    with track_request(InFlightRequests(), click(ids.KEEP_LAST)) as tracked:
        listener = asyncio.create_task(listen())
        await asyncio.sleep(0)
        tracked.acked = True
    assert counted.of("imagine_ack_seconds_count", kind="block_action") == 1
    assert counted.changed("imagine_requests_total") == {}
    goes_on.set()
    await listener
    assert counted.of("imagine_requests_total", **series, outcome="unavailable") == 1
    assert counted.of("imagine_requests_total", **series, outcome="ok") == 0


def test_a_request_that_was_never_acked_is_an_error_without_an_ack() -> None:
    counted = Counted()
    with track_request(InFlightRequests(), event("app_mention")):
        pass
    assert counted.of("imagine_ack_seconds_count", kind="event") == 0
    assert (
        counted.of("imagine_requests_total", kind="event", name="app_mention", outcome="error") == 1
    )


def test_a_request_that_breaks_on_its_way_is_an_error() -> None:
    counted = Counted()

    def receive() -> None:
        with track_request(InFlightRequests(), event("message")):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        receive()
    assert counted.of("imagine_requests_total", kind="event", name="message", outcome="error") == 1


async def test_requests_side_by_side_keep_their_own_outcomes() -> None:
    counted = Counted()

    async def request(outcome: str) -> None:
        with track_request(InFlightRequests(), event("message")) as tracked:
            await asyncio.sleep(0)
            with track_listener() as handled:
                await asyncio.sleep(0)
                handled.outcome = outcome
            tracked.acked = True

    await asyncio.gather(*(request(outcome) for outcome in ("ok", "refused", "refused", "error")))
    told = {
        outcome: counted.of("imagine_requests_total", kind="event", name="message", outcome=outcome)
        for outcome in metrics.REQUEST_OUTCOMES
    }
    assert told == {"ok": 1, "refused": 2, "unavailable": 0, "unhandled": 0, "error": 1}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SlackApiError("x", {"ok": False, "error": "missing_scope"}), "missing_scope"),  # type: ignore[no-untyped-call]
        (SlackApiError("x", {"ok": False, "error": "ratelimited"}), "busy"),  # type: ignore[no-untyped-call]
        (SlackApiError("x", {"ok": False, "error": HOSTILE}), "other"),  # type: ignore[no-untyped-call]
        (SlackApiError("x", {}), "unavailable"),  # type: ignore[no-untyped-call]
        (SlackApiError("x", b"<html>"), "unavailable"),  # type: ignore[no-untyped-call]
        (ClientError("x"), "unavailable"),
        (TimeoutError("x"), "unavailable"),
    ],
)
def test_a_listeners_own_call_that_fails_is_counted_and_fails(error: Exception, kind: str) -> None:
    counted = Counted()
    with pytest.raises(type(error)), count_slack_errors("views.open"):
        raise error
    assert counted.of("imagine_slack_errors_total", method="views.open", kind=kind) == 1


async def test_what_follows_an_ack_lets_all_other_acks_go_first() -> None:
    in_flight, order = InFlightRequests(), list[str]()
    may_ack = asyncio.Event()

    async def quick() -> None:
        with track_request(in_flight, KNOWN[0][0]) as tracked:
            listener = asyncio.create_task(follow())
            await asyncio.sleep(0)
            tracked.acked = True
        await listener

    async def follow() -> None:
        await wait_for_acks()
        order.append("what follows")

    async def slow() -> None:
        with track_request(in_flight, KNOWN[0][0]) as tracked:
            await may_ack.wait()
            order.append("the other ack")
            tracked.acked = True

    async with asyncio.timeout(PATIENCE / 2), asyncio.TaskGroup() as group:
        group.create_task(slow())
        group.create_task(quick())
        asyncio.get_running_loop().call_later(0.02, may_ack.set)

    assert order == ["the other ack", "what follows"]


async def test_a_request_that_is_never_acked_holds_up_nothing_for_long() -> None:
    in_flight = InFlightRequests()
    with track_request(in_flight, KNOWN[0][0]):
        await wait_for_acks()  # returns

    async with asyncio.timeout(PATIENCE / 2):
        with track_request(in_flight, KNOWN[0][0]) as tracked:
            listener = asyncio.create_task(wait_for_acks())
            await asyncio.sleep(0)
            tracked.acked = True
        await listener


async def test_what_is_no_request_of_a_person_holds_up_nothing() -> None:
    in_flight = InFlightRequests()
    with track_request(in_flight, None), track_request(in_flight, {"type": "url_verification"}):
        async with asyncio.timeout(PATIENCE / 2):
            await wait_for_acks()


async def test_the_end_waits_for_what_follows_an_ack_for_a_while() -> None:
    in_flight, acked, done = InFlightRequests(), asyncio.Event(), asyncio.Event()

    async def listener() -> None:
        with track_request(in_flight, None), track_listener():
            acked.set()
            await done.wait()

    task = asyncio.create_task(listener())
    await acked.wait()
    await in_flight.wait_until_finished(0.05)
    assert not task.done()
    asyncio.get_running_loop().call_later(0.05, done.set)
    await in_flight.wait_until_finished(10.0)
    assert task.done()
    await in_flight.wait_until_finished(10.0)
