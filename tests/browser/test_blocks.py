"""Everything of Block Kit that the page shows, and what its controls send, with no bot at all."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Page
from tests.browser.page_user import PageUser, expect


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


OPTIONS = [{"text": plain(name), "value": name.lower()} for name in ("Square", "Wide")]
CONFIRM = {
    "title": plain("Sure?"), "text": plain("It is gone then."), "confirm": plain("Do it"),
    "deny": plain("Leave it"), "style": "danger",
}  # fmt: skip
BLOCKS: list[dict[str, Any]] = [
    {"type": "header", "text": plain("A header")},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* _it_ ~no~ `x` <!here> <https://a.example|A>\n&gt;said"},
     "accessory": {"type": "overflow", "action_id": "more", "options": OPTIONS}},
    {"type": "section", "fields": [plain("left"), plain("right")]},
    {"type": "divider"},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
        {"type": "text", "text": "rich", "style": {"bold": True}},
        {"type": "link", "url": "javascript:alert(1)", "text": "bad link"}]}]},
    {"type": "actions", "block_id": "one", "elements": [
        {"type": "static_select", "action_id": "size", "placeholder": plain("Size"),
         "options": OPTIONS},
        {"type": "button", "action_id": "delete", "style": "danger", "text": plain("Delete"),
         "confirm": CONFIRM}]},
    {"type": "actions", "block_id": "two", "elements": [
        {"type": "checkboxes", "action_id": "ticks", "options": OPTIONS},
        {"type": "radio_buttons", "action_id": "radio", "options": OPTIONS}]},
    {"type": "markdown", "text": "## Title\n\n**strong** [link](https://b.example)\n\n- one"},
]  # fmt: skip
HOME = {"type": "home", "blocks": [{"type": "section", "text": plain("Your gallery")}]}


def client_of(page: Page) -> AsyncWebClient:
    client = AsyncWebClient(token=page.slack.bot_token, base_url=page.slack.api_url)
    client.proxy = None
    return client


async def test_blocks_are_shown_and_their_controls_reach_the_bot(
    bare_user: PageUser, bare: Page
) -> None:
    general = bare.slack.channel("general").id
    await client_of(bare).chat_postMessage(channel=general, text="all", blocks=BLOCKS)
    message = bare_user.page.locator("#timeline .message")
    await expect(message.get_by_role("heading")).to_have_text("A header")
    await expect(message.locator("blockquote")).to_have_text("said")
    await expect(message.locator(".mention")).to_have_text("@here")
    await expect(message.get_by_role("link")).to_have_count(2)
    await expect(message).to_contain_text("bad link")
    await bare_user.screenshot("blocks")

    await message.get_by_role("combobox").select_option("wide")
    await _arrived(bare_user, "block_actions size")
    await message.get_by_role("button", name="More actions").first.click()
    await bare_user.page.keyboard.press("ArrowDown")
    await bare_user.page.keyboard.press("Enter")
    await _arrived(bare_user, "block_actions more")
    await message.get_by_role("checkbox", name="Wide").check()
    await _arrived(bare_user, "block_actions ticks")
    await message.get_by_role("radio", name="Square").check()
    await _arrived(bare_user, "block_actions radio")


async def test_confirm_is_asked_before_a_button_acts(bare_user: PageUser, bare: Page) -> None:
    general = bare.slack.channel("general").id
    await client_of(bare).chat_postMessage(channel=general, text="all", blocks=BLOCKS)
    button = bare_user.page.get_by_role("button", name="Delete")
    await button.click()
    await bare_user.form.get_by_role("button", name="Leave it").click()
    await expect(bare_user.form).to_be_hidden()
    await button.click()
    await bare_user.form.get_by_role("button", name="Do it").click()
    await _arrived(bare_user, "block_actions delete")
    acks = [entry for entry in bare.feed.wire if entry["type"] == "ack"]
    assert len(acks) == 1


async def test_action_without_a_bot_is_answered_by_slackbot(
    bare_user: PageUser, bare: Page
) -> None:
    general = bare.slack.channel("general").id
    await client_of(bare).chat_postMessage(channel=general, text="all", blocks=BLOCKS)
    await bare_user.page.get_by_role("combobox").select_option("wide")
    told = await bare_user.only_for_me()
    await expect(told).to_contain_text('The button failed with the error "dispatch_failed"')


async def test_home_tab(bare_user: PageUser, bare: Page) -> None:
    await bare_user.page.goto(bare_user.url + "#alice/@imagine/home")
    await expect(bare_user.page.locator("#home")).to_contain_text("nothing here yet")
    alice = bare.slack.user("alice").id
    await client_of(bare).views_publish(user_id=alice, view=HOME)
    await expect(bare_user.page.locator("#home")).to_contain_text("Your gallery")


async def test_shortcut_on_a_message_with_an_attached_image(
    bare_user: PageUser, bare: Page, png: bytes
) -> None:
    chooser = bare_user.page.locator("input[type=file]").first
    await chooser.set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": png})
    await bare_user.send("look, @imagine")
    message = bare_user.page.locator("#timeline .message")
    await expect(message.get_by_role("img", name="cat.png")).to_be_visible()
    await expect(message.locator(".mention")).to_have_text("@Imagine")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await bare_user.page.get_by_role("menuitem", name="Edit this image").click()
    await _arrived(bare_user, "message_action")


async def _arrived(user: PageUser, what: str) -> None:
    if await user.page.locator("#wire").is_hidden():
        await user.page.keyboard.press("Control+.")
    await expect(user.page.locator("#wire-list")).to_contain_text(what)
