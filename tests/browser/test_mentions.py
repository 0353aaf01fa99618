"""Directing by talking: in channels, threads and directly."""

from __future__ import annotations

from tests.browser.page_user import PageUser, expect


async def test_mention_starts_a_session_and_another_refines_it(user: PageUser) -> None:
    await user.say("@imagine help")
    private = await user.only_for_me()
    await expect(private).to_contain_text("How it works")
    await user.screenshot("help")
    await user.say("@imagine a fox in the rain")
    await user.open_thread("@Alice imagines")
    await user.drafted(1)
    await user.say("@imagine make it night")
    second = await user.drafted(2)
    await expect(second).to_contain_text("attempt 2 from attempt 1, “make it night”")
    await user.screenshot("mentioned")
    await user.press("Approve")
    await user.approved()


async def test_mention_in_the_thread_of_somebody_else_answers_there(user: PageUser) -> None:
    await user.say("@bob what shall we put on the cover?")
    message = user.page.locator("#timeline .message", has_text="on the cover")
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    await user.become("Bob")
    await user.say("@imagine an owl with glasses --n 2")
    draft = await user.drafted(1)
    await expect(draft.locator("figure img")).to_have_count(2)
    await expect(user.page.locator("#timeline .message")).to_have_count(1)
    await draft.get_by_role("button", name="✅ Approve").first.click()
    await user.approved()
    origin = user.page.locator("#timeline .from-thread")
    await expect(origin).to_have_text("replied to a thread: @Bob what shall we put on the cover?")
