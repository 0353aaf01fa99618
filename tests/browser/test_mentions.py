"""Directing by talking: in channels, threads and directly."""

from __future__ import annotations

from tests.browser.desk import Desk, expect


async def test_mention_starts_a_session_and_another_refines_it(desk: Desk) -> None:
    await desk.say("@imagine a fox in the rain")
    await desk.open_thread("@Alice imagines")
    await desk.drafted(1)
    await desk.say("@imagine make it night")
    second = await desk.drafted(2)
    await expect(second).to_contain_text("attempt 2 from 1, “make it night”")
    await desk.screenshot("mentioned")
    await desk.press("Approve")
    await desk.approved()


async def test_mention_in_the_thread_of_somebody_else_answers_there(desk: Desk) -> None:
    await desk.say("@bob what shall we put on the cover?")
    message = desk.page.locator("#timeline .message", has_text="on the cover")
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    await desk.become("Bob")
    await desk.say("@imagine an owl with glasses --n 2")
    draft = await desk.drafted(1)
    await expect(draft.locator("figure img")).to_have_count(2)
    await expect(desk.page.locator("#timeline .message")).to_have_count(1)
    await draft.get_by_role("button", name="Approve").first.click()
    await desk.approved()
    origin = desk.page.locator("#timeline .from-thread")
    await expect(origin).to_have_text("replied to a thread: @Bob what shall we put on the cover?")


async def test_direct_message_needs_no_mention(desk: Desk) -> None:
    await desk.open("#carol/@imagine")
    await desk.say("a violin made of glass")
    await desk.open_thread("@Carol imagines")
    await desk.drafted(1)
    await desk.say("now of wood")
    second = await desk.drafted(2)
    await expect(second).to_contain_text("“now of wood”")


async def test_mention_where_the_bot_is_not(desk: Desk) -> None:
    await desk.go_to("outsiders")
    await desk.say("@imagine a cat")
    await expect(await desk.only_for_me()).to_contain_text("/invite @imagine")


async def test_help_is_said_to_the_one_who_asks(desk: Desk) -> None:
    await desk.say("@imagine help")
    private = await desk.only_for_me()
    await expect(private).to_contain_text("How it works")
    await desk.screenshot("help")
