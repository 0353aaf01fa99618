"""Asks, once and before anything is spent, who makes the demo's images: in the page and in the
terminal, whichever is answered first."""

from __future__ import annotations

import asyncio
import sys

from bot.demo import words
from bot.domain.errors import ImagineError
from bot.sandbox import Page, Question
from bot.settings import Backend, Settings


def chosen_backend(settings: Settings, choice: str | None) -> Settings | None:
    """The settings by `--backend`, or where there is nothing to choose; None where people have to
    be asked. Raises `ImagineError` where the choice needs a key."""
    has_key = bool(settings.openai_api_key.get_secret_value())
    if choice == words.PLACEHOLDERS or settings.image_backend is Backend.PLACEHOLDER:
        return with_placeholders(settings)
    if choice == words.USE_OPENAI:
        if settings.official_openai and not has_key:
            raise ImagineError(f"--backend {words.USE_OPENAI} needs OPENAI_API_KEY")
        return settings
    if has_key:
        return None
    return with_placeholders(settings) if settings.official_openai else settings


def with_placeholders(settings: Settings) -> Settings:
    return settings.model_copy(update={"image_backend": Backend.PLACEHOLDER})


async def ask_backend(settings: Settings, page: Page) -> Settings:
    """The settings by what people answer."""
    question = Question(words.question(settings), words.answers(settings))
    loop = asyncio.get_running_loop()
    in_terminal = sys.stdin is not None and sys.stdin.isatty()
    if in_terminal:
        loop.add_reader(sys.stdin, _read_answer, question)
    try:
        answer = await page.ask(question)
    finally:
        if in_terminal:
            loop.remove_reader(sys.stdin)
    return settings if answer == words.USE_OPENAI else with_placeholders(settings)


def _read_answer(question: Question) -> None:
    line = sys.stdin.readline()
    if not line:  # Ctrl-D: only the page is left
        asyncio.get_running_loop().remove_reader(sys.stdin)
        return
    said = line.strip().lower()
    found = [value for value in question.options if said and value.startswith(said)]
    if found:
        question.answer(found[0])
    else:
        sys.stdout.write(f"{' or '.join(question.options)}? ")
        sys.stdout.flush()
