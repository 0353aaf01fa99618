"""Texts for the terminal."""

from __future__ import annotations

from pathlib import Path

from bot.sandbox import Page
from bot.settings import Backend, Settings

GOODBYE = "\nStopping…"
STARTING = "Bot is starting…"
CHOOSING = "Waiting for your choice"
NO_BOT_YET = "No bot yet"
COMMAND = "/imagine a robot eating pizza on Mars"
ONLY_SLACK_IMAGES = "Only the workspace runs here: start the bot in another terminal."
PLACEHOLDER_IMAGES = (
    "Images are drawn on this machine by the placeholder backend: no account, no costs."
)
PRICE = "about $0.013 per 1024×1024 image with the default model and quality"


USE_OPENAI, PLACEHOLDERS = "openai", "placeholder"
"""What can be chosen, as for `--backend`."""


def question(settings: Settings) -> str:
    """What is asked before the first image that costs something."""
    if settings.official_openai:
        return f"OPENAI_API_KEY is set. Images cost {PRICE}."
    return f"OPENAI_API_KEY is set. Images from {settings.openai_base_url} may cost something."


def answers(settings: Settings) -> dict[str, str]:
    provider = "OpenAI" if settings.official_openai else settings.image_model
    return {USE_OPENAI: f"Use {provider}", PLACEHOLDERS: "Placeholders, for free"}


def asked_in_terminal(page: Page, settings: Settings) -> str:
    return f"""
imagine-bot demo: {page.url}

{question(settings)}
Choose in the page, or here: {USE_OPENAI} or {PLACEHOLDERS} (or just o or p).
`--backend` answers it beforehand. Ctrl-C ends all of it.
"""


def port_taken(port: int) -> str:
    return f"port {port} is in use: choose another with --port, or leave --port out for a free one"


def images(settings: Settings) -> str:
    """Who makes the images, and what they cost."""
    if settings.image_backend is Backend.PLACEHOLDER:
        has_key = bool(settings.openai_api_key.get_secret_value())
        real = f"Start it again with --backend {USE_OPENAI}" if has_key else "Set OPENAI_API_KEY"
        return f"{PLACEHOLDER_IMAGES} {real} for real ones."
    if not settings.official_openai:
        return f"Images come from {settings.image_model} at {settings.openai_base_url}."
    return f"Images come from OpenAI ({settings.image_model}), on your key: {PRICE}."


def welcome(page: Page, settings: Settings, data: Path | None) -> str:
    kept = f"kept in {data.resolve()}" if data else "gone at the end (--data DIR keeps everything)"
    return f"""
imagine-bot demo: a Slack workspace with the bot in it, all on this machine

  open   {page.url}
  type   {COMMAND}

  Slack  simulated; you are Alice, Bob or Carol
  Redis  an embedded Valkey
  images {images(settings)}
  data   {kept}

Ctrl-C ends all of it.
"""


def only_slack(page: Page) -> str:
    slack = page.slack
    return f"""
The simulated Slack workspace alone: {page.url}

Run the bot in another terminal with:

export SLACK_API_URL={slack.api_url}
export SLACK_BOT_TOKEN={slack.bot_token}
export SLACK_APP_TOKEN={slack.app_token}
export IMAGE_BACKEND=placeholder
python -m bot dev

Ctrl-C ends the workspace.
"""
