"""From the command to the approved image, by mouse and by keyboard, and what comes between."""

from __future__ import annotations

from tests.browser.page_user import PageUser, expect


async def test_loop_by_mouse_which_a_stranger_cannot_decide(user: PageUser) -> None:
    await user.page.get_by_role("button", name="Try /imagine").click()
    await user.page.get_by_role("button", name="Send").click()
    await user.page.get_by_role("button", name="1 reply").click()
    await user.drafted(1)
    await expect(user.page.locator("#timeline .badge")).to_have_count(0)
    await user.screenshot("draft")
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
    await expect(user.thread).to_contain_text("Also sent to the channel")
    await user.screenshot("approved")


async def test_a_click_counts_though_its_message_changes_meanwhile(
    user: PageUser,
) -> None:
    elsewhere = await user.another_page()
    await elsewhere.imagine("a snail on a skateboard")
    await user.page.get_by_role("button", name="1 reply").hover()
    await user.page.mouse.down()
    await elsewhere.press("Approve")
    await elsewhere.approved()
    await user.page.mouse.up()
    await expect(user.thread).to_be_visible()
    await expect(user.page.locator("#timeline")).to_contain_text("Approved by")


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


async def test_closing_the_thread_and_a_reload_in_the_middle_keep_everything(
    user: PageUser,
) -> None:
    await user.imagine("a lighthouse in the fog")
    await user.composer.fill("half a sentence")
    await user.composer.press("Escape")
    await expect(user.thread).to_be_hidden()
    await expect(user.composer).to_be_focused()
    await user.open_thread("a lighthouse in the fog")
    await user.press("Regenerate")
    await expect(user.page.locator("#timeline")).to_contain_text("attempt 2")
    await user.page.reload()
    await user.drafted(2)
    await expect(user.composer).to_have_value("half a sentence")
    await user.press("Regenerate")
    await user.drafted(3)
    await expect(user.thread.locator("figure img")).to_have_count(3)
    await expect(user.thread.get_by_role("button", name="✅ Approve")).to_have_count(1)
    await user.press("Approve")
    await user.approved()
