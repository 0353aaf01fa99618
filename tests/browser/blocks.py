"""Blocks for a small bot on the bare page."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Page
from tests.browser.pictures import picture

Block = dict[str, Any]


def client_of(page: Page) -> AsyncWebClient:
    client = AsyncWebClient(token=page.slack.bot_token, base_url=page.slack.api_url)
    client.proxy = None
    return client


async def upload(client: AsyncWebClient, colour: str, size: tuple[int, int] = (640, 480)) -> str:
    """Upload a picture of one colour; its id."""
    data = picture(colour, size)
    answer: Any = await client.files_upload_v2(content=data, filename=f"{colour}.png")
    return str(answer["files"][0]["id"])


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def section(mrkdwn: str, **more: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}, **more}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text)}


def context(mrkdwn: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def image(file_id: str, alt: str) -> Block:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}


def button(words: str, action_id: str, **more: Any) -> Block:
    return {"type": "button", "text": plain(words), "action_id": action_id, **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def option(name: str) -> Block:
    return {"text": plain(name), "value": name.lower()}


def select(action_id: str, *names: str, initial: str = "", **more: Any) -> Block:
    chosen = {"initial_option": option(initial)} if initial else {}
    options = [option(name) for name in names]
    return {"type": "static_select", "action_id": action_id, "options": options, **chosen, **more}


def labelled(label: str, block_id: str, element: Block, **more: Any) -> Block:
    return {
        "type": "input", "block_id": block_id, "label": plain(label), "element": element, **more,
    }  # fmt: skip


def modal(title: str, *blocks: Block, **more: Any) -> Block:
    content = {"type": "modal", "title": plain(title), "submit": plain("Go"), **more}
    return {**content, "callback_id": "form", "blocks": list(blocks)}


def home(*blocks: Block) -> Block:
    return {"type": "home", "blocks": list(blocks)}
