"""Every listener, and the one place where they are registered."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.domain.provenance import AI_LABEL
from bot.ports import Publisher
from bot.service import Direction, Portfolio
from bot.slack.events import on_event
from bot.slack.identity import Identity
from bot.slack.listeners.clicks import Clicks
from bot.slack.listeners.commands import Commands
from bot.slack.listeners.dependencies import Desk
from bot.slack.listeners.forms import Forms
from bot.slack.listeners.home import Home
from bot.slack.listeners.mentions import Mentions
from bot.slack.listeners.shortcuts import Shortcuts
from bot.tasks import BackgroundTasks
from bot.views import ids, words


class Listeners:
    """The listeners. Each acks only what is kept, or says in private why it is not."""

    def __init__(
        self,
        direction: Direction,
        portfolio: Portfolio,
        publisher: Publisher,
        tasks: BackgroundTasks,
        identity: Identity,
        ai_label: str = AI_LABEL,
    ) -> None:
        self._ai_label = ai_label
        self._desk = Desk(direction, portfolio, publisher, tasks, identity)

    def register(self, app: AsyncApp) -> None:
        app.command(words.COMMAND)(Commands(self._desk).imagine)
        self._register_clicks(app, Clicks(self._desk))
        self._register_forms(app, Forms(self._desk))
        self._register_home(app, Home(self._desk, self._ai_label))
        self._register_talk(app, Mentions(self._desk), Shortcuts(self._desk))

    def _register_clicks(self, app: AsyncApp, clicks: Clicks) -> None:
        app.action(ids.pattern(ids.APPROVE))(clicks.approve)
        app.action(ids.pattern(ids.USE_THIS))(clicks.use_this)
        app.action(ids.pattern(ids.REFINE))(clicks.refine)
        app.action(ids.REGENERATE)(clicks.regenerate)
        app.action(ids.EDIT_PROMPT)(clicks.edit_prompt)
        app.action(ids.CANCEL)(clicks.cancel)
        app.action(ids.TRY_AGAIN)(clicks.try_again)
        app.action(ids.START_OVER)(clicks.start_over)

    def _register_forms(self, app: AsyncApp, forms: Forms) -> None:
        app.view(ids.PROMPT_FORM)(forms.prompt_submitted)
        app.view(ids.EDIT_FORM)(forms.edit_submitted)
        app.view(ids.REFINE_FORM)(forms.refine_submitted)
        app.view(ids.IMAGE_FORM)(forms.image_submitted)

    def _register_home(self, app: AsyncApp, home: Home) -> None:
        on_event(app, "app_home_opened", home.opened, self._desk.tasks)
        app.action(ids.HOME_PAGE_PATTERN)(home.page_turned)
        app.action(ids.DEFAULT_OPTION_PATTERN)(home.default_chosen)
        app.action(ids.KEEP_LAST)(home.last_kept)

    def _register_talk(self, app: AsyncApp, mentions: Mentions, shortcuts: Shortcuts) -> None:
        on_event(app, "app_mention", mentions.mentioned, self._desk.tasks)
        on_event(app, "message", mentions.written_to, self._desk.tasks)
        app.message_shortcut(ids.DIRECT_IMAGE)(shortcuts.direct_image)
