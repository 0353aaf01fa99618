"""The Home tab of a small bot: pictures, selects, pages and menus, everyone's own."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Page
from tests.browser.blocks import (
    actions,
    button,
    client_of,
    context,
    header,
    home,
    image,
    section,
    select,
    upload,
)
from tests.browser.page_user import PageUser, expect


async def test_home_of_each_person(bare_user: PageUser, bare: Page, app: AsyncApp) -> None:
    pictures = [await upload(client_of(bare), colour) for colour in ("salmon", "indigo")]
    page = bare_user.page
    _gallery(app, pictures)
    await page.goto(bare_user.url + "#alice/@imagine/home")
    shown = page.locator("#home")
    await expect(shown.get_by_role("heading")).to_have_text("Gallery of Alice, page 0")
    await expect(shown.get_by_role("img", name="the picture")).to_have_js_property(
        "naturalWidth", 640
    )
    await expect(shown.get_by_role("img", name="a thumbnail")).to_have_js_property(
        "naturalWidth", 640
    )
    await expect(shown.get_by_label("Size")).to_have_value("square")
    await bare_user.screenshot("bare-home")

    await shown.get_by_label("Size").focus()
    await shown.get_by_label("Size").select_option("Wide")
    await expect(shown).to_contain_text("square → wide")
    await expect(shown.get_by_label("Size")).to_be_focused()
    await shown.get_by_role("button", name="Next").focus()
    await page.keyboard.press("Enter")
    await expect(shown.get_by_role("heading")).to_have_text("Gallery of Alice, page 1")
    await expect(shown.get_by_role("button", name="Next")).to_be_focused()
    await shown.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Forget").click()
    await expect(shown).to_contain_text("chose forget")

    await bare_user.become("Bob")
    await expect(shown.get_by_role("heading")).to_have_text("Gallery of Bob, page 0")
    await page.get_by_role("button", name="Messages").click()
    await expect(shown).to_be_hidden()
    await bare_user.become("Alice")
    await page.get_by_role("button", name="Home", exact=True).click()
    await expect(shown.get_by_role("heading")).to_have_text("Gallery of Alice, page 0")
    await shown.get_by_role("button", name="Show it large").click()
    await expect(bare_user.form.get_by_role("img", name="the picture")).to_be_visible()


def _gallery(app: AsyncApp, pictures: list[str]) -> None:
    """A Home tab with a picture for each page, which says what was done."""

    async def show(client: AsyncWebClient, user: str, number: int = 0, said: str = "") -> None:
        name = {"U0ALICE000": "Alice", "U0BOB00000": "Bob"}[user]
        more = {"type": "overflow", "action_id": "more"}
        more["options"] = select("", "Keep", "Forget")["options"]
        thumb = {"type": "image", "slack_file": {"id": pictures[1]}, "alt_text": "a thumbnail"}
        view = home(
            header(f"Gallery of {name}, page {number}"),
            section("*Size*", block_id="size",
                    accessory=select("size", "Square", "Wide", initial="Square")),
            section("a thumbnail beside words", accessory=thumb),
            image(pictures[0], "the picture"),
            context(said or "nothing yet"),
            section("This one", accessory=more),
            actions(button("Back", "back"), button("Next", "next", value=str(number + 1))),
        )  # fmt: skip
        await client.views_publish(user_id=user, view=view)

    @app.event("app_home_opened")
    async def opened(event: Any, client: AsyncWebClient) -> None:
        await show(client, event["user"])

    @app.action("next")
    async def turned(ack: Any, body: Any, action: Any, client: AsyncWebClient) -> None:
        await ack()
        await show(client, body["user"]["id"], int(action["value"]))

    @app.action("size")
    async def sized(ack: Any, body: Any, action: Any, client: AsyncWebClient) -> None:
        await ack()
        kept = body["view"]["state"]["values"]["size"]["size"]["selected_option"]["value"]
        assert kept == action["selected_option"]["value"]
        await show(client, body["user"]["id"], said=f"square → {kept}")

    @app.action("more")
    async def chosen(ack: Any, body: Any, action: Any, client: AsyncWebClient) -> None:
        await ack()
        said = f"chose {action['selected_option']['value']}"
        await show(client, body["user"]["id"], said=said)
