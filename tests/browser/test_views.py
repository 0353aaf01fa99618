"""Modals of a small bot, what is chosen in them, and links on its Home tab."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import PATIENCE, Page
from tests.browser.blocks import (
    actions,
    button,
    client_of,
    home,
    image,
    labelled,
    modal,
    plain,
    section,
    select,
    upload,
)  # fmt: skip
from tests.browser.page_user import PageUser, expect

TEXT = {"type": "plain_text_input", "action_id": "words"}


async def test_selects_of_a_modal_start_with_what_is_chosen(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    got: asyncio.Queue[Any] = asyncio.Queue()
    file_id = await upload(client_of(bare), "olive")
    _open_on_click(
        app,
        modal(
            "Options",
            image(file_id, "an olive field"),
            labelled("Prompt", "prompt", {**TEXT, "focus_on_load": True}),
            labelled("Size", "size", select("size", "Square", "Wide", "Tall", initial="Wide")),
            labelled(
                "Quality", "quality", select("quality", "Low", "High", initial="High"),
                optional=True, hint=plain("High takes longer."),
            ),
            labelled("Count", "count", select("count", "One", "Two", placeholder=plain("Number"))),
        ),
    )  # fmt: skip

    @app.view("form")
    async def submitted(ack: Any, view: Any) -> None:
        await got.put(view["state"]["values"])
        await ack()

    form = await _opened(bare_user, bare)
    await expect(form.get_by_role("textbox")).to_be_focused()
    await expect(form.get_by_role("img", name="an olive field")).to_have_js_property(
        "naturalWidth", 640
    )
    size = form.get_by_label("Size")
    await expect(size).to_have_value("wide")
    await expect(size.get_by_role("option")).to_have_count(3)
    await form.get_by_label("Prompt").fill("a heron")
    await size.select_option("tall")
    await form.get_by_label("Quality").select_option("")
    await bare_user.screenshot("bare-modal")
    await form.get_by_role("button", name="Go").click()
    await expect(form.get_by_label("Count")).to_have_accessible_description(
        "Please complete this required field."
    )
    await form.get_by_label("Count").select_option("Two")
    await form.get_by_role("button", name="Go").click()
    await expect(form).to_be_hidden()
    values = await asyncio.wait_for(got.get(), PATIENCE)
    assert values["size"]["size"]["selected_option"]["value"] == "tall"
    assert values["quality"]["quality"]["selected_option"] is None
    assert values["count"]["count"]["selected_option"]["value"] == "two"
    assert values["prompt"]["words"]["value"] == "a heron"


async def test_typed_words_survive_a_view_that_the_bot_changes(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    prompt = labelled("Prompt", "prompt", TEXT)
    choice = section("*Style*", block_id="style", accessory=select("style", "Oil", "Ink"))
    _open_on_click(app, modal("Options", prompt, choice))

    @app.action("style")
    async def chosen(ack: Any, body: Any, client: AsyncWebClient) -> None:
        await ack()
        seen = body["view"]["state"]["values"]["style"]["style"]["selected_option"]["value"]
        view = modal("Options", prompt, choice, section(f"{seen} it is"))
        await client.views_update(view_id=body["view"]["id"], view=view)

    form = await _opened(bare_user, bare)
    await form.get_by_label("Prompt").fill("half an idea")
    await form.get_by_label("Style").focus()
    await form.get_by_label("Style").select_option("Ink")
    await expect(form).to_contain_text("ink it is")
    await expect(form.get_by_label("Prompt")).to_have_value("half an idea")
    await expect(form.get_by_label("Style")).to_have_value("ink")
    await expect(form.get_by_label("Style")).to_be_focused()


async def test_view_says_when_the_bot_does_not_answer(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    _open_on_click(app, modal("Options", actions(button("Press", "nobody_listens"))))
    form = await _opened(bare_user, bare)
    await bare.slack.disconnect_sockets(abrupt=True)
    await form.get_by_role("button", name="Press").click()
    await expect(form.get_by_role("alert")).to_contain_text("We had some trouble connecting")


async def test_links_to_messages_stay_on_the_page(
    bare_user: PageUser, bare: Page, app: AsyncApp
) -> None:
    slack, client, page = bare.slack, app.client, bare_user.page
    design = slack.channel("design").id
    root = await client.chat_postMessage(channel=design, text="the idea")
    for number in range(30):
        await client.chat_postMessage(channel=design, thread_ts=root["ts"], text=f"no. {number}")
    reply = slack.messages("design", str(root["ts"]))[3]
    address = f"https://sandbox.slack.com/archives/{design}/p"
    to_root, to_reply = (f"{address}{ts.replace('.', '')}" for ts in (str(root["ts"]), reply.ts))

    @app.event("app_home_opened")
    async def opened(event: Any) -> None:
        open_it = button("Open", "jump", url=to_root)
        links = section(f"<{to_root}|the thread>, <{to_reply}|the reply>")
        await client.views_publish(user_id=event["user"], view=home(links, actions(open_it)))

    @app.action("jump")
    async def jumped(ack: Any) -> None:
        await ack()

    await page.goto(bare_user.url + "#bob/@imagine/home")
    shown = page.locator("#home")
    await shown.get_by_role("link", name="the thread").click()
    await expect(page.get_by_role("heading", name="# design")).to_be_visible()
    await expect(bare_user.thread).to_contain_text("the idea")
    await page.go_back()
    await shown.get_by_role("button", name="Open").click()
    await expect(bare_user.thread).to_contain_text("the idea")
    await page.go_back()
    await shown.get_by_role("link", name="the reply").click()
    named = bare_user.thread.locator(".message", has_text="no. 3").first
    await expect(named).to_be_focused()
    await expect(named).to_be_in_viewport()
    assert len(page.context.pages) == 1


def _open_on_click(app: AsyncApp, view: Any) -> None:
    @app.action("open")
    async def opens(ack: Any, body: Any, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)


async def _opened(user: PageUser, page: Page) -> Any:
    general = page.slack.channel("general").id
    blocks = [actions(button("Open it", "open"))]
    await client_of(page).chat_postMessage(channel=general, text="press", blocks=blocks)
    await user.page.get_by_role("button", name="Open it").click()
    await expect(user.form).to_be_visible()
    return user.form
