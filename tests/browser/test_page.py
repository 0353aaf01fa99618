"""What the page itself does around the messages, with no bot or a small one."""

from __future__ import annotations

import asyncio
from datetime import datetime

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Page, Question
from tests.browser.page_user import PageUser, expect

AT_END = "node => node.scrollHeight - node.scrollTop - node.clientHeight < 5"


def client_of(page: Page) -> AsyncWebClient:
    return AsyncWebClient(token=page.slack.bot_token, base_url=page.slack.api_url)


async def fill_the_channel(page: Page) -> None:
    client = client_of(page)
    for number in range(40):
        await client.chat_postMessage(channel="#general", text=f"line {number}")


async def scroll_up(user: PageUser) -> None:
    scroller = user.page.locator("#messages")
    await expect(scroller).to_contain_text("line 39")
    await scroller.evaluate("node => { node.scrollTop = 0; }")
    await expect(scroller).to_have_attribute("data-at-end", "")


async def test_what_comes_while_one_reads_further_up_is_told_by_a_button(
    bare_user: PageUser, bare: Page
) -> None:
    await fill_the_channel(bare)
    await scroll_up(bare_user)
    pill = bare_user.page.locator("#messages .pill")
    await expect(pill).to_be_hidden()
    for count, words in ((1, "1 new message"), (2, "2 new messages")):
        await client_of(bare).chat_postMessage(channel="#general", text=f"news {count}")
        await expect(pill).to_have_text(words)
        await expect(pill).to_be_in_viewport()
    await bare_user.screenshot("page-new-messages")
    await pill.click()
    await expect(bare_user.page.locator(".message", has_text="news 2")).to_be_in_viewport()
    await expect(pill).to_be_hidden()
    await scroll_up(bare_user)
    await client_of(bare).chat_postMessage(channel="#general", text="news 3")
    await bare_user.page.locator("#messages").evaluate("node => { node.scrollTop = 1e6; }")
    await expect(pill).to_be_hidden()


async def test_sending_shows_what_was_sent(bare_user: PageUser, bare: Page) -> None:
    await fill_the_channel(bare)
    for sent, shown in (("hello", "hello"), ("/unknown command", "is not a valid command")):
        await scroll_up(bare_user)
        await bare_user.send(sent)
        await expect(bare_user.page.locator(".message", has_text=shown)).to_be_in_viewport()
        assert await bare_user.page.locator("#messages").evaluate(AT_END)


async def test_a_slash_typed_anywhere_begins_a_command_and_in_a_field_is_a_letter(
    bare_user: PageUser,
) -> None:
    await expect(bare_user.composer).to_be_visible()
    for focus in ("#messages", "#theme-toggle", "#sidebar a", "body"):
        await bare_user.page.locator(focus).first.evaluate(
            "node => node === document.body ? document.activeElement.blur() : node.focus()"
        )
        await bare_user.page.keyboard.type("/imagine a fox")
        await expect(bare_user.composer).to_have_value("/imagine a fox")
        await bare_user.composer.fill("")
    await bare_user.composer.fill("1")
    await bare_user.composer.press("End")
    await bare_user.page.keyboard.type("/2")
    await expect(bare_user.composer).to_have_value("1/2")

    await bare_user.page.goto(f"{bare_user.url}#alice/@imagine/home")
    home = bare_user.page.locator("#home")
    await expect(home).to_be_visible()
    await home.focus()
    await bare_user.page.keyboard.type("/imagine a fox")
    await expect(bare_user.composer).to_have_value("/imagine a fox")


async def test_the_bot_is_starting_until_it_has_been_connected(
    bare_user: PageUser, bare: Page
) -> None:
    status = bare_user.page.locator("#status")
    bare.show(None, waiting="Bot is starting…")
    await expect(status).to_have_text("Bot is starting…")
    app = AsyncApp(client=client_of(bare), signing_secret=bare.slack.signing_secret)
    handler = AsyncSocketModeHandler(app, bare.slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await expect(status).to_have_text("Bot connected")
    await handler.close_async()  # type: ignore[no-untyped-call]
    await expect(status).to_have_text("Bot not connected")
    await bare_user.page.reload()
    await expect(status).to_have_text("Bot not connected")
    await bare_user.page.set_viewport_size({"width": 390, "height": 844})
    assert await status.locator("span").last.evaluate("node => node.offsetWidth") > 100
    await bare_user.screenshot("page-not-connected-narrow")


async def test_the_screen_reader_hears_words_and_no_markup(bare_user: PageUser, bare: Page) -> None:
    alice = bare.slack.user("alice").id
    marked = f"*Draft* for <@{alice}>: `a_b` _now_ &lt;3 <https://example.com/x|look>\n&gt; quoted"
    await expect(bare_user.composer).to_be_visible()
    await client_of(bare).chat_postMessage(channel="#general", text=marked)
    heard = bare_user.page.locator("#news")
    await expect(heard).to_have_text("Imagine: Draft for @Alice: a_b now <3 look quoted")


async def test_what_has_not_changed_is_not_drawn_anew(bare_user: PageUser, bare: Page) -> None:
    person = bare_user.page.get_by_role("group", name="You are").get_by_role("button").first
    link = bare_user.page.get_by_role("link", name="design")
    nodes = [await each.element_handle() for each in (person, link)]
    await client_of(bare).chat_postMessage(channel="#general", text="in front of the eyes")
    await expect(bare_user.page.locator("#timeline")).to_contain_text("in front of the eyes")
    assert [await node.evaluate("node => node.isConnected") for node in nodes] == [True, True]
    await client_of(bare).chat_postMessage(channel="#design", text="elsewhere")
    await expect(link).to_have_accessible_name("design 1 unread")
    await client_of(bare).chat_postMessage(channel="#design", text="once more")
    await expect(link).to_have_accessible_name("design 2 unread")


async def test_dates_are_shown_in_the_time_of_the_reader(bare_user: PageUser, bare: Page) -> None:
    at = 1767270600
    here = datetime.fromtimestamp(at).astimezone()
    day, hour = f"January {here.day}, 2026", f"{here.hour % 12 or 12}"

    def date(form: str) -> str:
        return f"<!date^{at}^{form}|at another time>"

    shown = bare_user.page.locator("#timeline .message").last
    for form, words in (
        ("{date_short_pretty} at {time}", f"Jan {here.day}, 2026 at {hour}:{here:%M %p}"),
        ("{date_num} {time_secs}", f"{here:%Y-%m-%d %I:%M:%S %p}"),
        ("{date_long}", f"{here:%A}, {day}"),
        ("{weekday}", "at another time"),
    ):
        await client_of(bare).chat_postMessage(channel="#general", text=f"Until {date(form)}.")
        await expect(shown).to_contain_text(f"Until {words}.")


async def test_a_row_of_what_people_did_opens(bare_user: PageUser) -> None:
    await bare_user.page.goto(f"{bare_user.url}#alice/@imagine")
    await bare_user.send("hello bot")
    await bare_user.page.locator("#wire-toggle").click()
    await bare_user.page.get_by_role("button", name="People → bot").click()
    row = bare_user.page.locator("#wire-list .entry").first
    await row.locator("summary").click()
    await expect(row.locator("pre")).to_contain_text('"text": "hello bot"')
    await expect(row.locator("pre")).not_to_contain_text('"token"')


async def test_a_question_is_answered_once_for_all(bare_user: PageUser, bare: Page) -> None:
    options = {"openai": "Use OpenAI", "placeholder": "Placeholders"}
    asking = asyncio.create_task(bare.ask(Question("Images cost about $0.013 each.", options)))
    asked = bare_user.page.get_by_role("region", name="A question")
    await expect(asked).to_contain_text("about $0.013")
    await bare_user.page.reload()
    await bare_user.screenshot("page-question")
    await asked.get_by_role("button", name="Placeholders").click()
    assert await asking == "placeholder"
    await expect(asked).to_be_hidden()


async def test_outsiders_are_told_why_the_bot_cannot_join(bare_user: PageUser) -> None:
    await bare_user.page.goto(f"{bare_user.url}#alice/outsiders")
    intro = bare_user.page.locator("#intro")
    await expect(intro).to_contain_text("channels:join")
    await bare_user.page.goto(f"{bare_user.url}#alice/secret")
    await expect(intro).to_contain_text("by invitation only")
    await expect(intro).not_to_contain_text("channels:join")
    await bare_user.composer.press_sequentially("/invite @imagine")
    await bare_user.composer.press("Enter")
    await expect(intro).to_contain_text("Type a slash command")


async def test_a_thread_is_named_as_its_first_message_is_now(
    bare_user: PageUser, bare: Page
) -> None:
    client, channel = client_of(bare), "#general"
    root = await client.chat_postMessage(channel=channel, text="a fox")
    where = {"channel": root["channel"], "thread_ts": root["ts"]}
    await client.chat_postMessage(**where, text="approved", reply_broadcast=True)
    named = bare_user.page.locator("#timeline .from-thread")
    await expect(named).to_have_text("replied to a thread: a fox")
    await client.chat_update(channel=root["channel"], ts=root["ts"], text="an older fox")
    await expect(named).to_have_text("replied to a thread: an older fox")
    long = "an older fox " * 10
    await client.chat_update(channel=root["channel"], ts=root["ts"], text=long)
    await expect(named).to_have_text(f"replied to a thread: {long[:79].rstrip()}…")
