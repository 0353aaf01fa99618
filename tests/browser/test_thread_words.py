"""What a person says in the thread of a draft, as the page shows the answers."""

from __future__ import annotations

from tests.browser.page_user import Locator, PageUser, expect


def last_private(user: PageUser) -> Locator:
    return user.page.locator(".message.ephemeral").last


async def test_words_name_buttons_and_images(user: PageUser) -> None:
    await user.say("@imagine a fox in the rain --n 2")
    await user.open_thread("@Alice imagines")
    draft = await user.drafted(1)
    await expect(draft).to_contain_text("Image 2 of attempt 1")
    await user.say("@imagine looks good, approve it")
    private = last_private(user)
    await expect(private).to_contain_text("Approve an image of attempt 1?")
    await expect(private.get_by_role("button")).to_have_text(
        ["✅ Approve image 1", "✅ Approve image 2"]
    )
    await user.say("@imagine make it blue")
    await expect(last_private(user)).to_contain_text("Which image of attempt 1 is this about?")
    await user.screenshot("words-which-image")
    await last_private(user).get_by_role("button", name="image 2").click()
    second = await user.drafted(2)
    await expect(second).to_contain_text("attempt 2 from image 2 of attempt 1, “make it blue”")
    await expect(user.page.locator(".message.ephemeral").last).to_contain_text("Refining image 2")
    await user.say("@imagine approve")
    await user.screenshot("words-approve")
    await last_private(user).get_by_role("button", name="Approve").click()
    await user.approved()


async def test_a_colleague_suggests(user: PageUser) -> None:
    await user.say("@imagine a fox in the snow")
    await user.open_thread("@Alice imagines")
    await user.drafted(1)
    await user.become("Bob")
    await user.open_thread("@Alice imagines")
    await user.say("@imagine make it night")
    suggested = user.thread.locator(".message", has_text="suggests to @Alice: “make it night”")
    await expect(suggested).to_be_visible()
    await expect(last_private(user)).to_contain_text("mention me in the channel")
    await user.screenshot("words-suggested")
    await user.become("Alice")
    await user.open_thread("@Alice imagines")
    await suggested.get_by_role("button", name="Refine with this").click()
    second = await user.drafted(2)
    await expect(second).to_contain_text("“make it night”")
    await expect(suggested).to_have_count(0)


async def test_a_picture_without_words_and_a_change_meanwhile(user: PageUser, png: bytes) -> None:
    await user.open("#carol/@imagine")
    await user.attach({"otter.png": png})
    await user.say("")
    await expect(last_private(user)).to_contain_text("What should change about this picture?")
    await user.screenshot("words-picture")
    await user.say("make it blue")
    await user.open_thread("@Carol imagines, from a picture")
    await user.say("and a hat")
    draft = await user.drafted(1)
    await expect(draft).to_contain_text("You said: “and a hat”")
    await user.screenshot("words-kept")
    await draft.get_by_role("button", name="Refine with this").click()
    second = await user.drafted(2)
    await expect(second).to_contain_text("“and a hat”")


async def test_a_direct_message_needs_no_mention_and_is_asked_about_if_it_reads_like_a_change(
    user: PageUser,
) -> None:
    await user.open("#bob/@imagine")
    await user.say("a lighthouse on a cliff")
    asked_for = user.page.locator("#timeline .message", has_text="@Bob imagines")
    await expect(asked_for.filter(has_text="a lighthouse on a cliff")).to_be_visible()
    await user.open_thread("a lighthouse on a cliff")
    await user.drafted(1)
    await user.say("is it ready?")
    await expect(last_private(user)).to_contain_text("Attempt 1 is ready and waits for review")
    await user.say("now of wood")
    await expect(await user.drafted(2)).to_contain_text("“now of wood”")
    await user.page.keyboard.press("Escape")
    await expect(user.thread).to_be_hidden()
    await user.say("make it night")
    asked = user.page.locator("#timeline .message.ephemeral").last
    await expect(asked).to_contain_text("Is this about your draft “a lighthouse on a cliff”?")
    await expect(asked.get_by_role("button")).to_have_text(
        ["🪄 Refine with this", "New image from my words only"]
    )
    await user.screenshot("words-direct")
    await asked.get_by_role("button", name="Refine with this").click()
    await (
        asked_for.get_by_role("button", name="reply")
        .or_(asked_for.get_by_role("button", name="replies"))
        .last.click()
    )
    await expect(await user.drafted(3)).to_contain_text("“make it night”")
