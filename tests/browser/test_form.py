"""The form, and what Slack's client and the bot say about what is in it."""

from __future__ import annotations

from tests.browser.page_user import PageUser, expect


async def test_form_its_error_and_its_way_to_a_draft(user: PageUser) -> None:
    await user.send("/imagine")
    field = user.form.get_by_role("textbox", name="What should the image show?")
    await expect(field).to_be_focused()
    await user.form.get_by_role("button", name="Generate").click()
    await expect(field).to_have_accessible_description("Please complete this required field.")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await user.screenshot("form-error")
    await field.fill("   ")
    await user.form.get_by_role("button", name="Generate").click()
    await expect(field).to_have_accessible_description("Please say what the image should show.")
    await field.fill("a dog in a spacesuit")
    await field.press("Control+Enter")
    await expect(user.form).to_be_hidden()
    await expect(user.page.locator("#timeline")).to_contain_text("a dog in a spacesuit")


async def test_escape_closes_the_form_and_typing_survives_a_reload(user: PageUser) -> None:
    await user.send("/imagine")
    field = user.form.get_by_role("textbox")
    async with user.page.expect_response("**/page/do/fill"):
        await field.fill("half an idea")
    await user.page.reload()
    await expect(field).to_have_value("half an idea")
    await user.page.keyboard.press("Escape")
    await expect(user.form).to_be_hidden()


async def test_focus_stays_in_the_form(user: PageUser) -> None:
    await user.send("/imagine")
    await expect(user.form).to_be_visible()
    for _ in range(8):
        await user.page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
        assert await user.page.evaluate(inside)


async def test_start_over_opens_a_form_again(user: PageUser) -> None:
    await user.imagine("a castle of cards")
    await user.press("Approve")
    await user.approved()
    await user.press("Start over")
    await expect(user.form.get_by_role("textbox")).to_be_visible()


async def test_channel_without_the_bot(user: PageUser) -> None:
    await user.go_to("outsiders")
    await user.send("/imagine a cat")
    await expect(await user.only_for_me()).to_contain_text("/invite")
    await user.screenshot("not-a-member")
    await user.send("/invite @imagine")
    await user.imagine("a cat")


async def test_unknown_command(user: PageUser) -> None:
    await user.send("/draw a cat")
    await expect(await user.only_for_me()).to_contain_text("/draw is not a valid command.")
