"""From the command to the approved image, by mouse and by keyboard, and what comes between."""

from __future__ import annotations

import os
import signal

from tests.browser.demo_process import DemoProcess
from tests.browser.page_user import SLOW, Browser, PageUser, expect, open_window


async def test_loop_by_mouse(user: PageUser) -> None:
    await user.page.get_by_role("button", name="Try /imagine").click()
    await user.page.get_by_role("button", name="Send").click()
    await user.page.get_by_role("button", name="1 reply").click()
    await user.drafted(1)
    await expect(user.page.locator("#timeline .badge")).to_have_count(0)
    await user.screenshot("draft")
    await user.press("Approve")
    await user.approved()
    await expect(user.thread).to_contain_text("Also sent to the channel")
    await user.screenshot("approved")


async def test_a_click_counts_though_its_message_changes_meanwhile(
    user: PageUser, demo: DemoProcess, browser: Browser
) -> None:
    context, elsewhere = await open_window(browser, demo.url)
    await elsewhere.open(user.page.url.removeprefix(demo.url))
    await elsewhere.imagine("a snail on a skateboard")
    await user.page.get_by_role("button", name="1 reply").hover()
    await user.page.mouse.down()
    await elsewhere.press("Approve")
    await elsewhere.approved()
    await user.page.mouse.up()
    await expect(user.thread).to_be_visible()
    await expect(user.page.locator("#timeline")).to_contain_text("Approved by")
    await context.close()


async def test_loop_by_keyboard_alone(user: PageUser) -> None:
    keys = user.page.keyboard
    await keys.press("/")
    await expect(user.composer).to_be_focused()
    await keys.type("im")
    await expect(user.page.get_by_role("option")).to_contain_text("/imagine")
    await keys.press("Tab")
    await keys.type("an otter on a sofa")
    await keys.press("Enter")
    bar = user.page.get_by_role("button", name="1 reply")
    await expect(bar).to_be_visible()
    await keys.press("F6")
    await keys.press("F6")
    for _ in range(20):
        if await bar.evaluate("node => node === document.activeElement"):
            break
        await keys.press("Tab")
    await keys.press("Enter")
    await expect(user.page.locator("#thread-title")).to_be_focused()
    approve = user.thread.get_by_role("button", name="✅ Approve")
    for _ in range(20):
        if await approve.evaluate("node => node === document.activeElement"):
            break
        await keys.press("Tab")
    await keys.press("Enter")
    await user.approved()
    await keys.press("Escape")
    await expect(user.thread).to_be_hidden()
    await expect(user.page.get_by_role("button", name="2 replies")).to_be_focused()


async def test_closing_the_thread_leaves_the_one_who_types_alone(user: PageUser) -> None:
    await user.imagine("a heron reading the paper")
    await user.composer.fill("one more")
    await user.composer.press("Escape")
    await expect(user.thread).to_be_hidden()
    await expect(user.composer).to_be_focused()


async def test_regenerate_twice_then_approve(user: PageUser) -> None:
    await user.imagine("a fox on the moon")
    for attempt in (2, 3):
        await user.press("Regenerate")
        await user.drafted(attempt)
    await expect(user.thread.locator("figure img")).to_have_count(3)
    await expect(user.thread.get_by_role("button", name="✅ Approve")).to_have_count(1)
    await user.press("Approve")
    await user.approved()


async def test_stranger_is_told_in_private(user: PageUser) -> None:
    await user.imagine("a whale in a bathtub")
    await user.become("Bob")
    await user.press("Approve")
    private = await user.only_for_me()
    await expect(private).to_contain_text("Only visible to you")
    await expect(private).to_contain_text("only @Alice can decide")
    await user.screenshot("stranger")
    await user.become("Alice")
    await expect(user.page.locator(".message.ephemeral")).to_have_count(0)
    await user.press("Approve")
    await user.approved()


async def test_reload_in_the_middle_keeps_everything(user: PageUser) -> None:
    await user.imagine("a lighthouse in the fog")
    await user.composer.fill("half a sentence")
    await user.press("Regenerate")
    await expect(user.page.locator("#timeline")).to_contain_text("attempt 2")
    await user.page.reload()
    await user.drafted(2)
    await expect(user.composer).to_have_value("half a sentence")
    await user.press("Approve")
    await user.approved()


async def test_killed_bot_comes_back_and_goes_on(own_user: PageUser, own_demo: DemoProcess) -> None:
    await own_user.imagine("a train through the desert")
    await own_user.press("Regenerate")
    await expect(own_user.page.locator("#timeline")).to_contain_text("attempt 2")
    os.kill(await own_demo.bot_pid(), signal.SIGKILL)
    await expect(own_user.page.locator("#status")).to_have_text("Bot not connected")
    await own_user.bot_is_there()
    await own_user.page.locator("#wire-toggle").click()
    await expect(own_user.page.locator("#wire-list")).to_contain_text("ready as @imagine")
    await own_user.page.locator("#wire-toggle").click()
    draft = own_user.thread.locator(".message", has_text="attempt 2 ·")
    await expect(draft.get_by_role("button", name="✅ Approve")).to_be_visible(timeout=2 * SLOW)
    await own_user.press("Approve")
    await own_user.approved()


async def test_restarted_demo_keeps_its_data(own_user: PageUser, own_demo: DemoProcess) -> None:
    await own_user.imagine("a bridge made of glass")
    assert await own_demo.stop() == 0
    await expect(own_user.page.get_by_role("alert").first).to_contain_text("can’t be reached")
    await own_demo.start()
    await own_user.bot_is_there()
    await expect(own_user.page.locator("#offline")).to_be_hidden()
    await own_user.page.reload()
    await own_user.drafted(1)
    await own_user.press("Approve")
    await own_user.approved()
