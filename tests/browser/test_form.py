"""The form, and what Slack's client and the bot say about what is in it."""

from __future__ import annotations

from tests.browser.desk import Desk, expect


async def test_form_its_error_and_its_way_to_a_draft(desk: Desk) -> None:
    await desk.send("/imagine")
    field = desk.form.get_by_role("textbox", name="What should the image show?")
    await expect(field).to_be_focused()
    await desk.form.get_by_role("button", name="Generate").click()
    await expect(field).to_have_accessible_description("Please complete this required field.")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await desk.screenshot("form-error")
    await field.fill("   ")
    await desk.form.get_by_role("button", name="Generate").click()
    await expect(field).to_have_accessible_description("Please say what the image should show.")
    await field.fill("a dog in a spacesuit")
    await field.press("Control+Enter")
    await expect(desk.form).to_be_hidden()
    await expect(desk.page.locator("#timeline")).to_contain_text("a dog in a spacesuit")


async def test_escape_closes_the_form_and_typing_survives_a_reload(desk: Desk) -> None:
    await desk.send("/imagine")
    field = desk.form.get_by_role("textbox")
    async with desk.page.expect_response("**/page/do/fill"):
        await field.fill("half an idea")
    await desk.page.reload()
    await expect(field).to_have_value("half an idea")
    await desk.page.keyboard.press("Escape")
    await expect(desk.form).to_be_hidden()


async def test_focus_stays_in_the_form(desk: Desk) -> None:
    await desk.send("/imagine")
    await expect(desk.form).to_be_visible()
    for _ in range(8):
        await desk.page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
        assert await desk.page.evaluate(inside)


async def test_start_over_opens_a_form_again(desk: Desk) -> None:
    await desk.imagine("a castle of cards")
    await desk.press("Approve")
    await desk.approved()
    await desk.press("Start over")
    await expect(desk.form.get_by_role("textbox")).to_be_visible()


async def test_channel_without_the_bot(desk: Desk) -> None:
    await desk.go_to("outsiders")
    await desk.send("/imagine a cat")
    await expect(await desk.only_for_me()).to_contain_text("/invite")
    await desk.screenshot("not-a-member")
    await desk.send("/invite @imagine")
    await desk.imagine("a cat")


async def test_unknown_command(desk: Desk) -> None:
    await desk.send("/draw a cat")
    await expect(await desk.only_for_me()).to_contain_text("/draw is not a valid command.")
