"""From the command to the approved image, by mouse and by keyboard, and what comes between."""

from __future__ import annotations

import os
import signal

from tests.browser.demo_process import DemoProcess
from tests.browser.desk import SLOW, Browser, Desk, expect, sit_down


async def test_loop_by_mouse(desk: Desk) -> None:
    await desk.page.get_by_role("button", name="Try /imagine").click()
    await desk.page.get_by_role("button", name="Send").click()
    await desk.page.get_by_role("button", name="1 reply").click()
    await desk.drafted(1)
    await expect(desk.page.locator("#timeline .badge")).to_have_count(0)
    await desk.screenshot("draft")
    await desk.press("Approve")
    await desk.approved()
    await expect(desk.thread).to_contain_text("Also sent to the channel")
    await desk.screenshot("approved")


async def test_a_click_counts_though_its_message_changes_meanwhile(
    desk: Desk, demo: DemoProcess, browser: Browser
) -> None:
    context, elsewhere = await sit_down(browser, demo.url)
    await elsewhere.open(desk.page.url.removeprefix(demo.url))
    await elsewhere.imagine("a snail on a skateboard")
    await desk.page.get_by_role("button", name="1 reply").hover()
    await desk.page.mouse.down()
    await elsewhere.press("Approve")
    await elsewhere.approved()
    await desk.page.mouse.up()
    await expect(desk.thread).to_be_visible()
    await expect(desk.page.locator("#timeline")).to_contain_text("Approved by")
    await context.close()


async def test_loop_by_keyboard_alone(desk: Desk) -> None:
    keys = desk.page.keyboard
    await keys.press("/")
    await expect(desk.composer).to_be_focused()
    await keys.type("/im")
    await expect(desk.page.get_by_role("option")).to_contain_text("/imagine")
    await keys.press("Tab")
    await keys.type("an otter on a sofa")
    await keys.press("Enter")
    bar = desk.page.get_by_role("button", name="1 reply")
    await expect(bar).to_be_visible()
    await keys.press("F6")
    await keys.press("F6")
    for _ in range(20):
        if await bar.evaluate("node => node === document.activeElement"):
            break
        await keys.press("Tab")
    await keys.press("Enter")
    await expect(desk.page.locator("#thread-title")).to_be_focused()
    approve = desk.thread.get_by_role("button", name="Approve")
    for _ in range(20):
        if await approve.evaluate("node => node === document.activeElement"):
            break
        await keys.press("Tab")
    await keys.press("Enter")
    await desk.approved()
    await keys.press("Escape")
    await expect(desk.thread).to_be_hidden()
    await expect(desk.page.get_by_role("button", name="2 replies")).to_be_focused()


async def test_closing_the_thread_leaves_the_one_who_types_alone(desk: Desk) -> None:
    await desk.imagine("a heron reading the paper")
    await desk.composer.fill("one more")
    await desk.composer.press("Escape")
    await expect(desk.thread).to_be_hidden()
    await expect(desk.composer).to_be_focused()


async def test_regenerate_twice_then_approve(desk: Desk) -> None:
    await desk.imagine("a fox on the moon")
    for attempt in (2, 3):
        await desk.press("Regenerate")
        await desk.drafted(attempt)
    await expect(desk.thread.locator("figure img")).to_have_count(3)
    await expect(desk.thread.get_by_role("button", name="Approve")).to_have_count(1)
    await desk.press("Approve")
    await desk.approved()


async def test_stranger_is_told_in_private(desk: Desk) -> None:
    await desk.imagine("a whale in a bathtub")
    await desk.become("Bob")
    await desk.press("Approve")
    private = await desk.only_for_me()
    await expect(private).to_contain_text("Only visible to you")
    await expect(private).to_contain_text("only @Alice can decide")
    await desk.screenshot("stranger")
    await desk.become("Alice")
    await expect(desk.page.locator(".message.ephemeral")).to_have_count(0)
    await desk.press("Approve")
    await desk.approved()


async def test_reload_in_the_middle_keeps_everything(desk: Desk) -> None:
    await desk.imagine("a lighthouse in the fog")
    await desk.composer.fill("half a sentence")
    await desk.press("Regenerate")
    await expect(desk.page.locator("#timeline")).to_contain_text("attempt 2")
    await desk.page.reload()
    await desk.drafted(2)
    await expect(desk.composer).to_have_value("half a sentence")
    await desk.press("Approve")
    await desk.approved()


async def test_killed_bot_comes_back_and_goes_on(own_desk: Desk, own_demo: DemoProcess) -> None:
    await own_desk.imagine("a train through the desert")
    await own_desk.press("Regenerate")
    await expect(own_desk.page.locator("#timeline")).to_contain_text("attempt 2")
    os.kill(await own_demo.bot_pid(), signal.SIGKILL)
    await expect(own_desk.page.locator("#status")).to_have_text("Bot not connected")
    await own_desk.bot_is_there()
    await own_desk.page.locator("#wire-toggle").click()
    await expect(own_desk.page.locator("#wire-list")).to_contain_text("ready as @imagine")
    await own_desk.page.locator("#wire-toggle").click()
    draft = own_desk.thread.locator(".message", has_text="attempt 2 ·")
    await expect(draft.get_by_role("button", name="Approve")).to_be_visible(timeout=2 * SLOW)
    await own_desk.press("Approve")
    await own_desk.approved()


async def test_restarted_demo_keeps_its_data(own_desk: Desk, own_demo: DemoProcess) -> None:
    await own_desk.imagine("a bridge made of glass")
    assert await own_demo.stop() == 0
    await expect(own_desk.page.get_by_role("alert").first).to_contain_text("can’t be reached")
    await own_demo.start()
    await own_desk.bot_is_there()
    await expect(own_desk.page.locator("#offline")).to_be_hidden()
    await own_desk.page.reload()
    await own_desk.drafted(1)
    await own_desk.press("Approve")
    await own_desk.approved()
