"""From a draft to the image one has in mind: refine, edit, choose among several, go back."""

from __future__ import annotations

from typing import Any

from tests.browser.looks import look_at
from tests.browser.page_user import PageUser, expect


async def test_draft_is_edited_and_refined_and_an_earlier_one_used(user: PageUser) -> None:
    first = await user.imagine("a lantern in the snow", "--quality low")
    await user.press("Edit prompt")
    prompt = user.form.get_by_label("What should the image show?")
    await expect(prompt).to_have_value("a lantern in the snow")
    await expect(user.form.get_by_label("Quality")).to_have_value("low")
    await look_at(user, "edit-form")
    await user.submit(
        What_should_the_image_show="a cat on a wall",
        Size="Wide 16:9",
        Images="2",
    )
    second = await user.drafted(2)
    await expect(second.get_by_role("img", name="a cat on a wall")).to_have_count(2)
    width, height = await _size_of(second.locator("figure img").first)
    assert abs(width / height - 16 / 9) < 0.05
    await expect(first.get_by_role("img", name="a lantern in the snow")).to_be_visible()
    await expect(first.get_by_role("button", name="✅ Approve")).to_have_count(0)

    await second.get_by_role("button", name="Refine").last.click()
    await expect(user.form).to_contain_text("a cat on a wall")
    await user.submit(What_should_change="friendlier cat")
    third = await user.drafted(3)
    await expect(third).to_contain_text("attempt 3 from image 2 of attempt 2, “friendlier cat”")
    await user.screenshot("refined")

    await _refine_by_keyboard(user, "make it night")
    await user.drafted(4)
    source = await third.locator("figure img").get_attribute("src")
    await _tab_to(user, "Approve this one", backwards=True)
    await user.page.keyboard.press("Enter")
    await user.approved()
    await expect(user.thread.get_by_role("button", name="Approve this one")).to_have_count(0)
    final = user.page.locator("#timeline .message", has_text="approved image")
    await expect(final.locator("figure img")).to_have_attribute("src", str(source))


async def test_second_of_three_candidates_is_approved(user: PageUser, room: str) -> None:
    await user.send("/imagine a fox on the moon --quality superb")
    private = await user.only_for_me()
    await expect(private).to_contain_text("--quality must be")
    await expect(private).to_contain_text("low, medium, high")
    await expect(private.locator("pre")).to_have_text("/imagine a fox on the moon --quality superb")
    await expect(user.page.locator("#timeline .message")).to_have_count(1)
    await user.screenshot("option-refused")

    draft = await user.imagine("a fox on the moon", "—n 3 --ar 16:9")
    await expect(draft.locator("figure img")).to_have_count(3)
    await expect(draft.get_by_role("button", name="✅ Approve")).to_have_count(3)
    await expect(draft.get_by_role("button", name="Refine")).to_have_count(3)
    width, height = await _size_of(draft.locator("figure img").nth(1))
    assert abs(width / height - 16 / 9) < 0.05

    await user.page.get_by_role("button", name="Close the thread").click()
    await user.go_to("general")
    await user.send("/imagine list")
    private = await user.only_for_me()
    await private.get_by_role("link", name="a fox on the moon").click()
    await expect(user.page.get_by_role("heading", name=f"# {room}")).to_be_visible()
    await user.drafted(1)

    source = await draft.locator("figure img").nth(1).get_attribute("src")
    await draft.get_by_role("button", name="✅ Approve").nth(1).click()
    await user.approved()
    final = user.page.locator("#timeline .message", has_text="approved image")
    await expect(final.locator("figure img")).to_have_attribute("src", str(source))
    await expect(draft.get_by_role("button", name="✅ Approve")).to_have_count(0)
    await expect(draft).to_contain_text("Image 2 of attempt 1 approved by @Alice")


async def _size_of(image: Any) -> tuple[int, int]:
    await expect(image).to_have_js_property("complete", value=True)
    width, height = await image.evaluate("node => [node.naturalWidth, node.naturalHeight]")
    return int(width), int(height)


async def _refine_by_keyboard(user: PageUser, change: str) -> None:
    keys = user.page.keyboard
    await user.page.locator("#thread-title").focus()
    await _tab_to(user, "Refine")
    await keys.press("Enter")
    await expect(user.form.get_by_label("What should change?")).to_be_focused()
    await keys.type(change)
    await keys.press("Control+Enter")
    await expect(user.form).to_be_hidden()


async def _tab_to(user: PageUser, name: str, *, backwards: bool = False) -> None:
    wanted = user.thread.get_by_role("button", name=name).last
    for _ in range(30):
        if await wanted.evaluate("node => node === document.activeElement"):
            return
        await user.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{name} is not reached")
