"""The form, and what Slack's client and the bot say about what is in it."""

from __future__ import annotations

from tests.browser.page_user import PageUser, expect


async def test_form_its_errors_its_way_to_a_draft_and_over_again(user: PageUser) -> None:
    await user.send("/imagine")
    field = user.form.get_by_role("textbox", name="What should the image show?")
    await expect(field).to_be_focused()
    for _ in range(8):
        await user.page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
        assert await user.page.evaluate(inside)
    async with user.page.expect_response("**/page/do/fill"):
        await field.fill("half an idea")
    await user.page.reload()
    await expect(field).to_have_value("half an idea")
    await user.page.keyboard.press("Escape")
    await expect(user.form).to_be_hidden()

    await user.send("/imagine")
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

    await user.open_thread("a dog in a spacesuit")
    await user.drafted(1)
    await user.press("Approve")
    await user.approved()
    await user.press("Start over")
    await expect(user.form.get_by_role("textbox")).to_be_visible()


async def test_channel_without_the_bot(user: PageUser) -> None:
    await user.go_to("outsiders")
    told = user.page.locator(".message.ephemeral")
    await user.say("@imagine a dog")
    await expect(told).to_contain_text("/invite @imagine")
    await user.send("/draw a dog")
    await expect(told).to_have_count(2)
    await expect(told.last).to_contain_text("/draw is not a valid command.")
    await user.send("/imagine a cat")
    await expect(told).to_have_count(3)
    await expect(told.last).to_contain_text("/invite")
    await user.screenshot("not-a-member")
    await user.send("/invite @imagine")
    await user.imagine("a cat")


async def test_what_is_typed_for_one_person_stays_when_another_is_chosen_at_once(
    user: PageUser,
) -> None:
    await user.send("/imagine settings")
    person = user.form.get_by_role("combobox")
    await person.select_option(label="Bob")
    await expect(user.form).to_contain_text("@Bob")
    budgets = user.form.get_by_role("textbox", name="Budget of a person for a month")
    await budgets.last.fill("7.5")
    await person.select_option(label="Carol")
    await expect(user.form).to_contain_text("@Carol")
    await expect(user.form).to_contain_text("@Bob")
    await user.screenshot("limits-of-two-people")
    await user.form.get_by_role("button", name="Save").click()
    await expect(user.form).to_be_hidden()
    told = user.page.locator(".message.ephemeral")
    await expect(told.last).to_contain_text("$7.50")
