"""Every listener, and the one place where they are registered."""

from __future__ import annotations

from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.slack.listener_runner import listen
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
    on = partial(listen, dependencies.tasks)

    on(app.command, ids.COMMAND, Commands(dependencies).imagine)

    limits = LimitsForms(dependencies)
    on(app.view, ids.LIMITS_FORM, limits.submitted)
    on(app.action, ids.ACTIONS[ids.LIMITS_PERSON], limits.person_chosen)

    clicks = Clicks(dependencies)
    on(app.action, ids.ACTIONS[ids.APPROVE], clicks.approve)
    on(app.action, ids.ACTIONS[ids.USE_THIS], clicks.use_this)
    on(app.action, ids.ACTIONS[ids.REFINE], clicks.refine)
    on(app.action, ids.ACTIONS[ids.REGENERATE], clicks.regenerate)
    on(app.action, ids.ACTIONS[ids.EDIT_PROMPT], clicks.edit_prompt)
    on(app.action, ids.ACTIONS[ids.CANCEL], clicks.cancel)
    on(app.action, ids.ACTIONS[ids.TRY_AGAIN], clicks.try_again)
    on(app.action, ids.ACTIONS[ids.START_OVER], clicks.start_over)
    on(app.action, ids.ACTIONS[ids.DISCARD], clicks.discard)
    on(app.action, ids.ACTIONS[ids.UNDO], clicks.undo)
    on(app.action, ids.ACTIONS[ids.EDIT_IMAGE], clicks.edit_image)

    on(app.action, ids.ACTIONS[ids.FEWER_IMAGES], LimitOffers(dependencies).fewer)
    on(app.action, ids.ACTIONS[ids.CANCEL_WAITING], LimitOffers(dependencies).cancel_waiting)

    answers = PictureAnswers(dependencies)
    on(app.action, ids.ACTIONS[ids.USE_PICTURE], answers.use_picture)
    on(app.action, ids.ACTIONS[ids.WORDS_ONLY], answers.words_only)
    on(app.action, ids.ACTIONS[ids.REFINE_WITH], ChangeAnswers(dependencies).refine_with)

    on(app.action, ids.ACTIONS[ids.OPEN_FORM], NewImages(dependencies).open)

    forms = Forms(dependencies)
    on(app.view, ids.PROMPT_FORM, forms.prompt_submitted)
    on(app.view, ids.EDIT_FORM, forms.edit_submitted)
    on(app.view, ids.REFINE_FORM, forms.refine_submitted)
    on(app.view, ids.IMAGE_FORM, forms.image_submitted)

    home = Home(dependencies)
    on(app.event, "app_home_opened", home.opened)
    on(app.action, ids.ACTIONS[ids.HOME_PAGE], home.page_turned)
    on(app.action, ids.ACTIONS[ids.DEFAULT_OPTION], home.default_chosen)
    on(app.action, ids.ACTIONS[ids.KEEP_LAST], home.last_kept)

    mentions = Mentions(dependencies)
    on(app.event, "app_mention", mentions.mentioned)
    on(app.event, "message", mentions.direct_message)

    installation = Installation(dependencies)
    on(app.event, "app_uninstalled", installation.uninstalled)
    on(app.event, "tokens_revoked", installation.tokens_revoked)
    on(app.event, "channel_archive", installation.archived)
    on(app.event, "group_archive", installation.archived)
    on(app.event, "channel_deleted", installation.deleted)
    on(app.event, "group_deleted", installation.deleted)
    on(app.event, "channel_left", installation.left)
    on(app.event, "group_left", installation.left)
    on(app.event, "member_left_channel", installation.member_left)

    on(app.message_shortcut, ids.DIRECT_IMAGE, Shortcuts(dependencies).direct_image)
