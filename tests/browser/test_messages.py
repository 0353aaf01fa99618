"""Messages as they come, change and go; what people attach, mention and choose from menus."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.sandbox import PATIENCE, Page
from tests.browser.blocks import actions, button, client_of, context, image, section, upload
from tests.browser.page_user import Look, PageUser, expect
from tests.browser.pictures import picture

DROP = """async ([where, files]) => {
  const transfer = new DataTransfer();
  for (const [name, type, data] of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  const node = document.querySelector(where);
  for (const type of ["dragover", "drop"]) {
    const event = new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    node.dispatchEvent(event);
  }
}"""
PASTE = """([where, name, data]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const options = { clipboardData: transfer, bubbles: true, cancelable: true };
  document.querySelector(where).dispatchEvent(new ClipboardEvent("paste", options));
}"""


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    return Look(getattr(request, "param", 1400), 860)


wide_and_narrow = pytest.mark.parametrize("look", [1400, 400], indirect=True)


@wide_and_narrow
async def test_pictures_of_one_message_have_their_own_buttons(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    pressed: asyncio.Queue[str] = asyncio.Queue()

    @app.action("approve_2")
    async def approved(ack: Any, action: Any) -> None:
        await ack()
        await pressed.put(action["value"])

    client = client_of(bare)
    blocks = []
    for number, colour in enumerate(("salmon", "indigo", "olive"), 1):
        blocks += [
            image(await upload(client, colour), f"candidate {number}"),
            actions(
                button("Approve", f"approve_{number}", value=f"no. {number}", style="primary"),
                button("Refine", f"refine_{number}"),
            ),
        ]
    blocks += [context("attempt 1"), actions(button("Regenerate", "regenerate"))]
    channel = bare.slack.channel("general").id
    await client.chat_postMessage(channel=channel, text="three", blocks=blocks)
    message = bare_user.page.locator("#timeline .message")
    await expect(message.get_by_role("img")).to_have_count(3)
    await expect(message.get_by_role("button", name="Approve")).to_have_count(3)
    await expect(message.get_by_role("img", name="candidate 3")).to_have_js_property(
        "complete", value=True
    )
    await bare_user.screenshot(f"bare-candidates-{bare_user.width}")
    async with bare_user.page.expect_response("**/page/do/click"):
        await message.get_by_role("button", name="Approve").nth(1).click()
    assert await asyncio.wait_for(pressed.get(), PATIENCE) == "no. 2"
    await message.get_by_role("button", name="Show it large").nth(2).click()
    await expect(bare_user.form.locator(".caption")).to_have_text("candidate 3")


async def test_message_changes_and_goes_while_somebody_has_the_focus_in_it(
    bare_user: PageUser, bare: Page
) -> None:
    client, page = client_of(bare), bare_user.page
    channel = bare.slack.channel("general").id
    first = await client.chat_postMessage(channel=channel, text="first")
    posted = await client.chat_postMessage(channel=channel, text="preview")
    message = page.locator("#timeline .message").last
    await expect(message).to_contain_text("preview")
    await expect(message.get_by_role("button", name="Cancel")).to_have_count(0)
    where: dict[str, Any] = {"channel": channel, "ts": str(posted["ts"])}
    await client.chat_update(**where, text="new", blocks=[actions(button("Cancel", "cancel"))])
    await message.get_by_role("button", name="Cancel").focus()
    both = [section("still at work"), actions(button("Cancel", "cancel"))]
    await client.chat_update(**where, text="new", blocks=both)
    await expect(message).to_contain_text("still at work")
    await expect(message.get_by_role("button", name="Cancel")).to_be_focused()
    await client.chat_delete(**where)
    await expect(page.get_by_text("still at work")).to_have_count(0)
    await expect(page.locator(f'#timeline [data-ts="{first["ts"]}"]')).to_be_focused()


@wide_and_narrow
async def test_picture_is_attached_looked_at_and_sent(
    bare_user: PageUser, bare: Page, png: bytes
) -> None:
    page, slack = bare_user.page, bare.slack
    await bare_user.attach({"a.png": png, "b.png": png})
    chosen = page.get_by_role("list", name="Files to send")
    await expect(chosen.locator("img")).to_have_count(2)
    await bare_user.screenshot(f"bare-attached-{bare_user.width}")
    await chosen.get_by_role("button", name="Remove a.png").click()
    encoded = base64.b64encode(picture("navy")).decode()
    dropped = [["navy.png", "image/png", encoded], ["notes.txt", "text/plain", encoded]]
    await page.evaluate(DROP, ["#messages", dropped])
    await page.evaluate(PASTE, ["#composer", "pasted.png", encoded])
    await expect(chosen.get_by_role("listitem")).to_have_text(
        ["b.png", "navy.png", "📎notes.txt", "pasted.png"]
    )
    await chosen.get_by_role("button", name="Remove notes.txt").click()
    await bare_user.composer.fill("look")
    await bare_user.composer.press("Enter")
    await expect(chosen).to_be_hidden()
    message = page.locator("#timeline .message")
    await expect(message.locator("figcaption")).to_have_text(["b.png", "navy.png", "pasted.png"])
    await expect(message.get_by_role("img", name="navy.png")).to_have_js_property(
        "naturalWidth", 640
    )
    (kept,) = slack.messages("general")
    assert kept.shown_images() == [png, picture("navy"), picture("navy")]
    await message.get_by_role("button", name="Show it large").first.click()
    await expect(bare_user.form.get_by_role("img", name="b.png")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(bare_user.form).to_be_hidden()


async def test_bot_is_mentioned_where_slash_commands_do_not_work(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    page, slack = bare_user.page, bare.slack

    @app.event("app_mention")
    async def mentioned(event: Any, say: Any) -> None:
        await heard.put(event)
        await say(text="on it", thread_ts=event.get("thread_ts") or event["ts"])

    @app.event("message")
    async def told(event: Any) -> None:
        await heard.put(event)

    await bare_user.composer.press_sequentially("@im")
    await expect(page.get_by_role("option")).to_contain_text("@imagine")
    await bare_user.composer.press("Enter")
    await bare_user.composer.press_sequentially("a fox on the moon")
    await bare_user.composer.press("Enter")
    event = await asyncio.wait_for(heard.get(), PATIENCE)
    assert event["text"] == f"<@{slack.bot_user_id}> a fox on the moon"
    await page.get_by_role("button", name="1 reply").click()
    await bare_user.reply.press_sequentially("@imagine make it night")
    await bare_user.reply.press("Enter")
    answer = await asyncio.wait_for(heard.get(), PATIENCE)
    assert answer["thread_ts"] == event["ts"]
    await expect(bare_user.thread.locator(".message").nth(2)).to_contain_text("make it night")
    await page.goto(bare_user.url + "#alice/@imagine")
    await expect(page.locator("#channel-title")).to_have_text("imagine")
    await bare_user.send("a fox in the rain")
    direct = await asyncio.wait_for(heard.get(), PATIENCE)
    assert (direct["channel_type"], direct["text"]) == ("im", "a fox in the rain")


@wide_and_narrow
async def test_shortcut_by_keyboard_alone(
    bare_user: PageUser, bare: Page, app: AsyncApp, png: bytes
) -> None:
    used: asyncio.Queue[Any] = asyncio.Queue()

    @app.shortcut("direct")
    async def direct(ack: Any, shortcut: Any) -> None:
        await ack()
        await used.put(shortcut)

    ack = await bare.slack.say("bob", "general", "look", files=[("cat.png", png)])
    keys = bare_user.page.keyboard
    message = bare_user.page.locator("#timeline .message")
    await expect(message.get_by_role("img", name="cat.png")).to_be_visible()
    await bare_user.page.locator("#messages").focus()
    await keys.press("ArrowUp")
    await expect(message).to_be_focused()
    await keys.press("m")
    item = bare_user.page.get_by_role("menuitem", name="Edit this image")
    await expect(item).to_be_focused()
    await bare_user.screenshot(f"bare-menu-{bare_user.width}")
    await keys.press("Escape")
    await expect(message.get_by_role("button", name="More actions")).to_be_focused()
    await keys.press("Enter")
    async with bare_user.page.expect_response("**/page/do/shortcut"):
        await keys.press("Enter")
    shortcut = await asyncio.wait_for(used.get(), PATIENCE)
    assert shortcut["message"]["ts"] == ack.message.ts
    await expect(message.get_by_role("button", name="More actions")).to_be_focused()
