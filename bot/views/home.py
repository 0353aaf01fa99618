"""The Home tab: a person's sessions in progress, approved images and default options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bot.domain.images import AI_LABEL
from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionTable
from bot.domain.session import Session
from bot.views import blocks, ids
from bot.views.blocks import Block, cut
from bot.views.captions import ai_alt_text, ai_line, option_words, status_words
from bot.views.help_words import help_words
from bot.views.ids import COMMAND
from bot.views.lists import linked, short_prompt, thread_link
from bot.views.option_selects import option_select
from bot.views.prefilled import Prefilled, form_button

View = dict[str, Any]
WORKING_PER_PAGE = 5
PICTURES_PER_PAGE = 6
PROMPT_IN_HOME = 300

_PAGE = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})")


class Page(NamedTuple):
    """Which page of each list; they count from 0."""

    working: int = 0
    pictures: int = 0

    def __str__(self) -> str:
        return f"{self.working}.{self.pictures}"


@dataclass(frozen=True)
class HomePage:
    """One page of each list, newest first. Pages count from 0; `in_progress` and `approved` are
    how many there are in all. `last` holds the options that were asked for last."""

    working: tuple[Session, ...]
    in_progress: int
    working_page: int
    pictures: tuple[Session, ...]
    approved: int
    pictures_page: int
    defaults: Options
    last: Options


def parse_page(value: str) -> Page:
    """The page that a button's value names. Any other value means the first page."""
    match = _PAGE.fullmatch(value)
    return Page(int(match[1]), int(match[2])) if match else Page()


def notice_view(words: str) -> View:
    """The Home tab with a few words alone, such as for somebody who may not use the bot."""
    return {"type": "home", "blocks": [blocks.section(words)]}


def home_view(
    home_page: HomePage,
    workspace_url: str,
    table: OptionTable = OPTIONS,
    *,
    images: bool = True,
    label: str = AI_LABEL,
    conversation: str = "",
    usage: str = "",
) -> View:
    """The whole tab. `label` says that the images are made by AI. Without `images` the tab has
    links alone: Slack refuses a tab that names a deleted file. `conversation` is the person's
    direct channel with the bot, for a new image; empty where it is not known. `usage` is a line
    about what the person has used."""
    new_image = form_button("🎨 New image", Prefilled(channel=conversation), primary=True)
    shown = [
        *([blocks.actions(new_image)] if conversation else []),
        *([blocks.context(usage)] if usage else []),
        *_working(home_page, workspace_url),
        blocks.divider(),
        *_defaults(home_page, table),
        blocks.divider(),
        *_pictures(home_page, workspace_url, images, label),
        blocks.divider(),
        blocks.section(help_words()),
    ]
    return {"type": "home", "blocks": shown}


def _working(home_page: HomePage, workspace_url: str) -> list[Block]:
    shown = [blocks.header(_counted("In progress", home_page.in_progress))]
    if not home_page.working:
        shown.append(
            blocks.section(
                "Nothing is in progress. "
                f"Type `{COMMAND} a robot eating pizza on Mars` in a channel, or send me your idea."
            )
        )
    for session in home_page.working:
        link = _open_thread(session, workspace_url)
        status = status_words(session, None, None)
        shown.append(blocks.section(plain=cut(session.task_input, PROMPT_IN_HOME)))
        shown.append(blocks.context(f"{status} · {link}" if link else status))
    page = Page(home_page.working_page, home_page.pictures_page)
    return shown + _paging("working", page, home_page.in_progress, WORKING_PER_PAGE)


def _pictures(home_page: HomePage, workspace_url: str, images: bool, label: str) -> list[Block]:
    shown = [blocks.header(_counted("Approved images", home_page.approved))]
    if not home_page.pictures:
        shown.append(
            blocks.section(
                "None yet. Press *Approve* below a draft that you like, and it comes here."
            )
        )
    for session in home_page.pictures:
        shown += _picture(session, workspace_url, images, label)
    page = Page(home_page.working_page, home_page.pictures_page)
    return shown + _paging("pictures", page, home_page.approved, PICTURES_PER_PAGE)


def _picture(session: Session, workspace_url: str, images: bool, label: str) -> list[Block]:
    """A row: prompt, channel and time, with the image at its side where it can be shown."""
    approved = session.attempt(session.final_result)
    candidate = approved.candidate(session.final_candidate)
    link = thread_link(workspace_url, session)
    when = _when(session)
    where = f"<#{session.channel}>" if not session.channel.startswith("D") else "in our messages"
    words = f"{linked(link, short_prompt(session))}\n{where} · {when}"
    file_id = session.final_file_id or candidate.file_id
    if (approved.as_file and not session.final_file_id) or not file_id or not images:
        return [blocks.section(words)]
    alt_text = ai_alt_text(label, session, approved, candidate)
    thumbnail = blocks.image(file_id, alt_text)
    row = blocks.section(words) | {"accessory": thumbnail}
    return [row, blocks.context(plain=ai_line(label, candidate))]


def _when(session: Session) -> str:
    """When it was approved, in the reader's own time zone."""
    at = int(float(session.final_ts or session.updated_at))
    told = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{at}^{{date_short_pretty}} at {{time}}|{told}>"


def _defaults(home_page: HomePage, table: OptionTable) -> list[Block]:
    """The block id names the choice, because Slack's clients keep what they show in a block whose
    id stays."""
    chosen = home_page.defaults
    selects = [
        option_select(
            spec,
            f"{ids.DEFAULT_OPTION}_{spec.name}",
            chosen,
            table.defaults,
            prefix=f"{spec.label}: ",
        )
        for spec in table
    ]
    values = [str(chosen.get(spec.name)) for spec in table]
    shown = [
        blocks.header("Your defaults"),
        blocks.context("For every image of yours, unless you ask for something else."),
        blocks.actions(*selects) | {"block_id": "-".join(["defaults", *values])},
    ]
    if home_page.last not in (NO_OPTIONS, chosen):
        label = f"Keep my last options: {option_words(home_page.last)}"
        shown.append(blocks.actions(blocks.button(label, ids.KEEP_LAST, "last")))
    return shown


def _paging(name: str, page: Page, count: int, size: int) -> list[Block]:
    """Buttons to the newer and the older page of one list, as far as they exist."""
    at: int = getattr(page, name)
    turns = []
    if at > 0:
        turns.append(_turn("← Newer", name, "prev", page, at - 1))
    if (at + 1) * size < count:
        turns.append(_turn("Older →", name, "next", page, at + 1))
    if not turns:
        return []
    where = f"Page {at + 1} of {-(-count // size)}"
    return [blocks.context(where), blocks.actions(*turns)]


def _turn(label: str, name: str, way: str, page: Page, to: int) -> Block:
    value = Page(to, page.pictures) if name == "working" else Page(page.working, to)
    return blocks.button(label, f"{ids.HOME_PAGE}_{name}_{way}", str(value))


def _counted(title: str, count: int) -> str:
    return f"{title} ({count})" if count else title


def _open_thread(session: Session, workspace_url: str) -> str:
    link = thread_link(workspace_url, session)
    return linked(link, "Open thread") if link else ""
