"""Every listener, and the one place where they are registered."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.events import on_event
from bot.slack.listeners.commands import Commands
from bot.slack.listeners.forms import Forms, NewImages
from bot.slack.listeners.home import Home
from bot.slack.listeners.installation import Installation
from bot.slack.listeners.interactions import Clicks, Shortcuts
from bot.slack.listeners.limit_offers import LimitOffers
from bot.slack.listeners.limits import LimitsForms
from bot.slack.listeners.mentions import Mentions
from bot.slack.listeners.questions import ChangeAnswers, PictureAnswers
from bot.slack.listening import ListenerDependencies
from bot.views import ids

__all__ = ["ListenerDependencies", "register"]


def register(app: AsyncApp, dependencies: ListenerDependencies) -> None:
    """Each listener acks only what is stored, or says in private why it is not."""
    tasks = dependencies.tasks

    app.command(ids.COMMAND)(Commands(dependencies).imagine)

    limits = LimitsForms(dependencies)
    app.view(ids.LIMITS_FORM)(limits.submitted)
    app.action(ids.ACTIONS[ids.LIMITS_PERSON])(limits.person_chosen)

    clicks = Clicks(dependencies)
    app.action(ids.ACTIONS[ids.APPROVE])(clicks.approve)
    app.action(ids.ACTIONS[ids.USE_THIS])(clicks.use_this)
    app.action(ids.ACTIONS[ids.REFINE])(clicks.refine)
    app.action(ids.ACTIONS[ids.REGENERATE])(clicks.regenerate)
    app.action(ids.ACTIONS[ids.EDIT_PROMPT])(clicks.edit_prompt)
    app.action(ids.ACTIONS[ids.CANCEL])(clicks.cancel)
    app.action(ids.ACTIONS[ids.TRY_AGAIN])(clicks.try_again)
    app.action(ids.ACTIONS[ids.START_OVER])(clicks.start_over)
    app.action(ids.ACTIONS[ids.DISCARD])(clicks.discard)
    app.action(ids.ACTIONS[ids.UNDO])(clicks.undo)
    app.action(ids.ACTIONS[ids.EDIT_IMAGE])(clicks.edit_image)

    app.action(ids.ACTIONS[ids.FEWER_IMAGES])(LimitOffers(dependencies).fewer)
    app.action(ids.ACTIONS[ids.CANCEL_WAITING])(LimitOffers(dependencies).cancel_waiting)

    answers = PictureAnswers(dependencies)
    app.action(ids.ACTIONS[ids.USE_PICTURE])(answers.use_picture)
    app.action(ids.ACTIONS[ids.WORDS_ONLY])(answers.words_only)
    app.action(ids.ACTIONS[ids.REFINE_WITH])(ChangeAnswers(dependencies).refine_with)

    app.action(ids.ACTIONS[ids.OPEN_FORM])(NewImages(dependencies).open)

    forms = Forms(dependencies)
    app.view(ids.PROMPT_FORM)(forms.prompt_submitted)
    app.view(ids.EDIT_FORM)(forms.edit_submitted)
    app.view(ids.REFINE_FORM)(forms.refine_submitted)
    app.view(ids.IMAGE_FORM)(forms.image_submitted)

    home = Home(dependencies)
    on_event(app, "app_home_opened", home.opened, tasks)
    app.action(ids.ACTIONS[ids.HOME_PAGE])(home.page_turned)
    app.action(ids.ACTIONS[ids.DEFAULT_OPTION])(home.default_chosen)
    app.action(ids.ACTIONS[ids.KEEP_LAST])(home.last_kept)

    mentions = Mentions(dependencies)
    on_event(app, "app_mention", mentions.mentioned, tasks)
    on_event(app, "message", mentions.direct_message, tasks)

    installation = Installation(dependencies)
    on_event(app, "app_uninstalled", installation.uninstalled, tasks)
    on_event(app, "tokens_revoked", installation.tokens_revoked, tasks)
    on_event(app, "channel_archive", installation.archived, tasks)
    on_event(app, "group_archive", installation.archived, tasks)
    on_event(app, "channel_deleted", installation.deleted, tasks)
    on_event(app, "group_deleted", installation.deleted, tasks)
    on_event(app, "channel_left", installation.left, tasks)
    on_event(app, "group_left", installation.left, tasks)
    on_event(app, "member_left_channel", installation.member_left, tasks)

    app.message_shortcut(ids.DIRECT_IMAGE)(Shortcuts(dependencies).direct_image)
