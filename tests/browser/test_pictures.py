"""Sessions that start from a person's picture."""

from __future__ import annotations

from tests.browser.desk import Desk, expect
from tests.browser.looks import look_at
from tests.browser.pictures import picture


async def test_picture_of_a_message_is_directed(desk: Desk, png: bytes) -> None:
    await desk.become("Bob")
    await desk.attach({"cat.png": png})
    await desk.say("my cat")
    await desk.become("Alice")
    message = desk.page.locator("#timeline .message", has_text="my cat")
    await expect(message.get_by_role("img", name="cat.png")).to_be_visible()
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await desk.page.get_by_role("menuitem", name="Direct this image").click()
    await expect(desk.form.get_by_label("What should change?")).to_be_focused()
    await look_at(desk, "image-form")
    await desk.submit(What_should_change="give it a hat")
    await desk.open_thread("my cat")
    draft = await desk.drafted(1)
    await expect(draft).to_contain_text("from your picture")
    await desk.press("Approve")
    await desk.approved()


async def test_one_of_two_pictures_is_chosen_by_keyboard(desk: Desk, png: bytes) -> None:
    keys = desk.page.keyboard
    await desk.attach({"first.png": png, "second.png": picture("navy")})
    await desk.say("which one?")
    message = desk.page.locator("#timeline .message", has_text="which one?")
    await expect(message.get_by_role("img", name="second.png")).to_be_visible()
    await desk.page.locator("#messages").focus()
    await keys.press("ArrowUp")
    await keys.press("m")
    await keys.press("Enter")
    choice = desk.form.get_by_label("Which picture?")
    await expect(choice.get_by_role("option")).to_have_text(["first.png", "second.png"])
    await choice.focus()
    await keys.press("ArrowDown")
    await keys.press("Tab")
    await keys.type("brighter")
    await keys.press("Control+Enter")
    await expect(desk.form).to_be_hidden()
    await desk.open_thread("which one?")
    await desk.drafted(1)


async def test_picture_is_attached_to_a_mention(desk: Desk, png: bytes) -> None:
    await desk.attach({"sketch.png": png})
    await desk.say("@imagine in oil")
    await desk.open_thread("from a picture")
    draft = await desk.drafted(1)
    await expect(draft).to_contain_text("from your picture")
    await desk.screenshot("from-a-picture")


async def test_picture_is_sent_directly(desk: Desk, png: bytes) -> None:
    await desk.open("#bob/@imagine")
    await desk.attach({"sketch.png": png})
    await desk.say("as a woodcut")
    await desk.open_thread("from a picture")
    await desk.drafted(1)


async def test_message_without_a_picture_is_refused_in_private(desk: Desk) -> None:
    await desk.say("nothing to see here")
    message = desk.page.locator("#timeline .message", has_text="nothing to see")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await desk.page.get_by_role("menuitem", name="Direct this image").click()
    await expect(await desk.only_for_me()).to_contain_text("no picture here")
