"""The live preview: the newest wins, it keeps its distance, and it never holds anything up."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import ImageNotReady, SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.progress import live_preview
from bot.progress.live_preview import LivePreviews
from tests.fakes import ID, FakePublisher, FakeSessionStore, eventually, generating, with_latest

AWAY = SlackUnavailable("away")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_preview, "GAP", 0.01)


class Screen:
    """The previews of one attempt."""

    def __init__(self, session: Session | None = None, *, enabled: bool = True) -> None:
        self.session = session or generating()
        self.store = FakeSessionStore(self.session)
        self.publisher = FakePublisher()
        self.previews = LivePreviews(self.store, self.publisher, enabled=enabled)
        self._numbered = 0
        self.meanwhile: Callable[[Session], Session] = lambda session: session
        show = self.publisher._show

        async def each_its_own(what: str, session: Session, **details: object) -> str:
            await show(what, session, **details)
            if what == "post_preview":
                self.store.sessions[ID] = self.meanwhile(self.store.sessions[ID])
            self._numbered += 1
            return f"{self._numbered}.0"

        self.publisher._show = each_its_own  # type: ignore[method-assign]

    @asynccontextmanager
    async def showing(self, *, repeated: bool = False, ends: bool = True) -> AsyncIterator[None]:
        """One run of the candidate, which ends the attempt unless others go on."""
        async with self.previews.showing(ID, ImageRef(1)):
            yield
        if ends:
            await self.previews.clear(ID, 1, search=repeated)

    def offer(self, name: str, candidate: int = 1) -> None:
        self.previews.offer(ID, ImageRef(1, candidate), base64.b64encode(name.encode()).decode())

    @property
    def posted(self) -> list[str]:
        return [shown.details["data"].decode() for shown in self.publisher.of("post_preview")]

    @property
    def removed(self) -> list[str]:
        return [shown.details["ts"] for shown in self.publisher.of("remove_preview")]

    @property
    def recorded(self) -> str:
        return self.store.sessions[ID].attempt(1).preview_ts

    def times(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.posted) == count


async def test_a_partial_image_is_shown_recorded_and_removed_at_the_end() -> None:
    screen = Screen()
    async with screen.showing():
        screen.offer("sketch")
        await eventually(lambda: screen.recorded)
        assert screen.posted == ["sketch"]
        assert (screen.recorded, screen.removed) == ("1.0", [])
    assert screen.removed == ["1.0"]
    assert screen.recorded == ""


async def test_a_newer_one_takes_the_place_of_the_one_before() -> None:
    screen = Screen()
    async with screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        screen.offer("better")
        await eventually(lambda: screen.removed)
        assert screen.publisher.names() == ["post_preview", "post_preview", "remove_preview"]
        assert screen.removed == ["1.0"]
        assert screen.recorded == "2.0"
    assert screen.removed == ["1.0", "2.0"]


async def test_of_several_that_wait_only_the_newest_is_shown() -> None:
    screen = Screen()
    async with screen.showing():
        for name in ("first", "second", "third"):
            screen.offer(name)
        await eventually(screen.times(1))
    assert screen.posted == ["third"]


async def test_previews_keep_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_preview, "GAP", 60)
    screen = Screen()
    async with screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        screen.offer("better")
        await asyncio.sleep(0.05)
    assert screen.posted == ["sketch"]


@pytest.mark.parametrize(
    "error", [SlackBusy(0.02), ImageNotReady("chat.postMessage", "invalid_blocks")]
)
async def test_one_that_slack_has_no_time_for_is_skipped(error: Exception) -> None:
    screen = Screen()
    screen.publisher.failures["post_preview"] = [error]
    async with screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        assert screen.recorded == ""
        screen.offer("better")
        await eventually(lambda: screen.recorded)
    assert screen.posted == ["sketch", "better"]
    assert len(screen.removed) == 1


async def test_a_busy_slack_is_left_alone_for_as_long_as_it_asks() -> None:
    screen = Screen()
    screen.publisher.failures["post_preview"] = [SlackBusy(60)]
    async with asyncio.timeout(10), screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        screen.offer("better")
        await asyncio.sleep(0.05)
    assert screen.posted == ["sketch"]


@pytest.mark.parametrize("error", [SlackRefused("chat.postMessage", "restricted_action"), AWAY])
async def test_any_other_error_ends_the_preview_and_not_the_attempt(error: Exception) -> None:
    screen = Screen()
    screen.publisher.failures["post_preview"] = [error]
    async with screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        screen.offer("better")
        await asyncio.sleep(0.05)
    assert screen.posted == ["sketch"]
    assert screen.removed == [""], "it may have been posted all the same"


async def test_what_is_no_base64_ends_the_preview() -> None:
    screen = Screen()
    async with screen.showing():
        screen.previews.offer(ID, ImageRef(1), "abc")
        await asyncio.sleep(0.02)
    assert screen.publisher.shown == []


async def test_nothing_partial_is_shown_once_the_image_is_made() -> None:
    screen = Screen(with_latest(generating(), candidates=(Candidate(1, width=9, height=9),)))
    async with screen.showing():
        screen.offer("late")
        await asyncio.sleep(0.02)
    assert screen.publisher.shown == []


async def test_nothing_is_shown_of_an_attempt_that_nobody_waits_for() -> None:
    screen = Screen()
    screen.store.sessions[ID] = replace(generating(), stage=Stage.INITIAL_INPUT)
    async with screen.showing():
        screen.offer("late")
        await asyncio.sleep(0.02)
    assert screen.publisher.shown == []


async def test_a_slow_slack_does_not_hold_the_offers_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_preview, "END_WITHIN", 0.01)
    screen = Screen()
    forever = asyncio.Event()

    async def hanging(session: Session, number: int, data: bytes) -> str:
        await screen.publisher._show("post_preview", session, number=number, data=data)
        await forever.wait()
        return "never"

    screen.publisher.post_preview = hanging  # type: ignore[method-assign]
    async with asyncio.timeout(10), screen.showing():
        screen.offer("sketch")
        await eventually(screen.times(1))
        screen.offer("better")
    assert screen.removed == [""], "it may have been posted all the same"


async def test_a_repeated_run_removes_what_an_earlier_one_left() -> None:
    screen = Screen(with_latest(generating(), preview_ts="7.7"))
    async with screen.showing(repeated=True):
        assert screen.removed == []
    assert screen.removed == ["7.7", ""]
    assert screen.recorded == ""


async def test_a_run_that_is_broken_off_leaves_that_to_the_next() -> None:
    screen = Screen()

    async def run() -> None:
        async with screen.showing():
            screen.offer("sketch")
            await eventually(lambda: screen.recorded)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await run()
    assert screen.removed == []
    assert screen.recorded == "1.0"


async def test_of_several_candidates_the_newest_of_any_is_shown() -> None:
    screen = Screen(with_latest(generating(), candidates=(Candidate(1), Candidate(2))))
    async with screen.previews.showing(ID, ImageRef(1, 2)):
        async with screen.showing(ends=False):
            offered = [(2, "second"), (1, "first"), (2, "second again")]
            for count, (candidate, name) in enumerate(offered, start=1):
                screen.offer(name, candidate)
                await eventually(screen.times(count))
        assert screen.posted[-1] == "second again"
        assert screen.recorded, "it stays until another comes"
        made = (Candidate(1, width=1), Candidate(2))
        screen.store.sessions[ID] = with_latest(screen.store.sessions[ID], candidates=made)
        screen.offer("of one that is made", 1)
        await asyncio.sleep(0.02)
        screen.offer("second at last", 2)
        await eventually(screen.times(4))
    assert screen.posted == ["second", "first", "second again", "second at last"]
    assert (screen.removed, screen.recorded) == (["1.0", "2.0", "4.0"], "6.0")


async def test_previews_of_several_candidates_keep_their_distance_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_preview, "GAP", 60.0)
    screen = Screen(with_latest(generating(), candidates=(Candidate(1), Candidate(2))))
    async with screen.previews.showing(ID, ImageRef(1, 2)), screen.showing(ends=False):
        screen.offer("first", 1)
        await eventually(screen.times(1))
        screen.offer("second", 2)
        await asyncio.sleep(0.02)
        assert screen.posted == ["first"]


async def test_a_candidate_that_breaks_off_leaves_the_previews_of_the_others() -> None:
    screen = Screen(with_latest(generating(), candidates=(Candidate(1), Candidate(2))))
    async with screen.previews.showing(ID, ImageRef(1, 2)):
        with pytest.raises(RuntimeError):
            async with screen.showing(ends=False):
                raise RuntimeError
        screen.offer("second", 2)
        await eventually(screen.times(1))


async def test_one_replaces_what_another_run_has_recorded_meanwhile() -> None:
    screen = Screen()
    async with screen.showing():
        screen.meanwhile = lambda session: with_latest(session, preview_ts="other")
        screen.offer("sketch")
        await eventually(lambda: screen.removed)
        assert (screen.removed, screen.recorded) == (["other"], "1.0")
    assert screen.removed == ["other", "1.0"]


async def test_one_that_is_posted_as_another_run_ends_the_attempt_is_removed() -> None:
    screen = Screen()
    async with screen.showing(ends=False):
        screen.meanwhile = lambda session: replace(session, stage=Stage.USER_FEEDBACK)
        screen.offer("sketch")
        await eventually(lambda: screen.recorded)
    assert screen.removed == ["1.0", ""]
    assert screen.recorded == ""


async def test_one_that_cannot_be_removed_stays_and_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    screen = Screen()
    screen.publisher.failures["remove_preview"] = [AWAY]
    async with screen.showing():
        screen.offer("sketch")
        await eventually(lambda: screen.recorded)
    assert "left in its thread" in caplog.text
    assert screen.recorded == "1.0"


async def test_without_the_setting_nothing_is_shown_or_looked_for() -> None:
    screen = Screen(enabled=False)
    async with screen.showing(repeated=True):
        screen.offer("sketch")
        await asyncio.sleep(0.02)
    assert screen.publisher.shown == []
    assert screen.store.written == []


async def test_without_the_setting_a_recorded_one_is_removed_all_the_same() -> None:
    screen = Screen(with_latest(generating(), preview_ts="7.7"), enabled=False)
    async with screen.showing(repeated=True):
        pass
    assert screen.removed == ["7.7"]
