"""Sessions that start from a person's picture."""

from __future__ import annotations

from tests.browser.looks import look_at
from tests.browser.page_user import Locator, PageUser, expect
from tests.browser.pictures import picture


async def test_picture_of_a_message_is_directed_and_one_is_needed(
    user: PageUser, png: bytes
) -> None:
    await user.say("nothing to see here")
    await _edit_image_of(user, user.page.locator("#timeline .message", has_text="nothing to see"))
    await expect(await user.only_for_me()).to_contain_text("no picture here")
    await user.become("Bob")
    await user.attach({"cat.png": png})
    await user.say("my cat")
    await user.become("Alice")
    message = user.page.locator("#timeline .message", has_text="my cat")
    await expect(message.get_by_role("img", name="cat.png")).to_be_visible()
    await _edit_image_of(user, message)
    await expect(user.form.get_by_label("What should change?")).to_be_focused()
    await look_at(user, "image-form")
    await user.submit(What_should_change="give it a hat")
    await user.open_thread("my cat")
    draft = await user.drafted(1)
    await expect(draft).to_contain_text("from your picture")
    await user.press("Approve")
    await user.approved()


async def test_one_of_two_pictures_is_chosen_by_keyboard(user: PageUser, png: bytes) -> None:
    keys = user.page.keyboard
    await user.attach({"first.png": png, "second.png": picture("navy")})
    await user.say("which one?")
    message = user.page.locator("#timeline .message", has_text="which one?")
    await expect(message.get_by_role("img", name="second.png")).to_be_visible()
    await user.page.locator("#messages").focus()
    await keys.press("ArrowUp")
    await keys.press("m")
    await keys.press("Enter")
    choice = user.form.get_by_label("Which picture?")
    await expect(choice.get_by_role("option")).to_have_text(["first.png", "second.png"])
    await choice.focus()
    await keys.press("ArrowDown")
    await keys.press("Tab")
    await keys.type("brighter")
    await keys.press("Control+Enter")
    await expect(user.form).to_be_hidden()
    await user.open_thread("which one?")
    await user.drafted(1)


async def test_picture_is_attached_to_a_mention(user: PageUser, png: bytes) -> None:
    await user.attach({"sketch.png": png})
    await user.say("@imagine in oil")
    await user.open_thread("from a picture")
    draft = await user.drafted(1)
    await expect(draft).to_contain_text("from your picture")
    await user.screenshot("from-a-picture")


async def test_picture_is_sent_directly(user: PageUser, png: bytes) -> None:
    await user.open("#bob/@imagine")
    await user.attach({"sketch.png": png})
    await user.say("as a woodcut")
    await user.open_thread("from a picture")
    await user.drafted(1)


async def _edit_image_of(user: PageUser, message: Locator) -> None:
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await user.page.get_by_role("menuitem", name="Edit this image").click()
