"""From a draft to the image one has in mind: refine, edit, choose among several, go back."""

from __future__ import annotations

from typing import Any

from tests.browser.looks import look_at
from tests.browser.page_user import PageUser, expect


async def test_draft_is_refined_by_its_button(user: PageUser) -> None:
    await user.imagine("a cat on a wall")
    await user.press("Refine")
    await expect(user.form).to_contain_text("a cat on a wall")
    await user.submit(What_should_change="friendlier cat")
    second = await user.drafted(2)
    await expect(second).to_contain_text("attempt 2 from attempt 1, “friendlier cat”")
    first = user.draft(1)
    await expect(first.get_by_role("img", name="a cat on a wall")).to_be_visible()
    await expect(first.get_by_role("button", name="✅ Approve")).to_have_count(0)
    await user.screenshot("refined")
    await user.press("Approve")
    await user.approved()
    await expect(user.thread.get_by_role("button", name="Approve this one")).to_have_count(0)


async def test_earlier_draft_can_still_be_used(user: PageUser) -> None:
    first = await user.imagine("a harbour at dawn")
    source = await first.locator("figure img").get_attribute("src")
    await user.press("Regenerate")
    await user.drafted(2)
    await first.get_by_role("button", name="Approve this one").click()
    await user.approved()
    final = user.page.locator("#timeline .message", has_text="approved image")
    await expect(final.locator("figure img")).to_have_attribute("src", str(source))


async def test_prompt_and_options_are_edited(user: PageUser) -> None:
    await user.imagine("a lantern in the snow", "--quality low")
    await user.press("Edit prompt")
    prompt = user.form.get_by_label("What should the image show?")
    await expect(prompt).to_have_value("a lantern in the snow")
    await expect(user.form.get_by_label("Quality")).to_have_value("low")
    await look_at(user, "edit-form")
    await user.submit(
        What_should_the_image_show="two lanterns in the snow",
        Size="Wide 16:9",
        Images="2",
    )
    second = await user.drafted(2)
    await expect(second.get_by_role("img", name="two lanterns")).to_have_count(2)
    width, height = await _size_of(second.locator("figure img").first)
    assert abs(width / height - 16 / 9) < 0.05


async def test_second_of_three_candidates_is_approved(user: PageUser) -> None:
    draft = await user.imagine("a fox on the moon", "—n 3 --ar 16:9")
    await expect(draft.locator("figure img")).to_have_count(3)
    await expect(draft.get_by_role("button", name="✅ Approve")).to_have_count(3)
    await expect(draft.get_by_role("button", name="Refine")).to_have_count(3)
    source = await draft.locator("figure img").nth(1).get_attribute("src")
    width, height = await _size_of(draft.locator("figure img").nth(1))
    assert abs(width / height - 16 / 9) < 0.05
    await draft.get_by_role("button", name="✅ Approve").nth(1).click()
    await user.approved()
    final = user.page.locator("#timeline .message", has_text="approved image")
    await expect(final.locator("figure img")).to_have_attribute("src", str(source))
    await expect(draft.get_by_role("button", name="✅ Approve")).to_have_count(0)
    await expect(draft).to_contain_text("Image 2 of attempt 1 approved by @Alice")


async def test_impossible_option_is_answered_in_private(user: PageUser) -> None:
    await user.send("/imagine a fox on the moon --quality superb")
    private = await user.only_for_me()
    await expect(private).to_contain_text("--quality must be")
    await expect(private).to_contain_text("low, medium, high")
    await expect(private.locator("pre")).to_have_text("/imagine a fox on the moon --quality superb")
    await expect(user.page.locator("#timeline .message")).to_have_count(1)
    await user.screenshot("option-refused")


async def test_draft_is_refined_by_keyboard_alone(user: PageUser) -> None:
    await user.imagine("a ladder to the clouds")
    keys = user.page.keyboard
    await user.page.locator("#thread-title").focus()
    await _tab_to(user, "Refine")
    await keys.press("Enter")
    await expect(user.form.get_by_label("What should change?")).to_be_focused()
    await keys.type("make it night")
    await keys.press("Control+Enter")
    await expect(user.form).to_be_hidden()
    await user.drafted(2)
    await _tab_to(user, "Approve this one", backwards=True)
    await keys.press("Enter")
    await user.approved()


async def test_list_of_what_is_in_progress_leads_to_its_thread(user: PageUser, room: str) -> None:
    await user.imagine("a map of nowhere")
    await user.page.get_by_role("button", name="Close the thread").click()
    await user.go_to("general")
    await user.send("/imagine list")
    private = await user.only_for_me()
    await private.get_by_role("link", name="a map of nowhere").click()
    await expect(user.page.get_by_role("heading", name=f"# {room}")).to_be_visible()
    await user.drafted(1)


async def _size_of(image: Any) -> tuple[int, int]:
    await expect(image).to_have_js_property("complete", value=True)
    width, height = await image.evaluate("node => [node.naturalWidth, node.naturalHeight]")
    return int(width), int(height)


async def _tab_to(user: PageUser, name: str, *, backwards: bool = False) -> None:
    wanted = user.thread.get_by_role("button", name=name).last
    for _ in range(30):
        if await wanted.evaluate("node => node === document.activeElement"):
            return
        await user.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{name} is not reached")
