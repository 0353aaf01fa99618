"""The Home tab. Everybody sees what is their own, and nothing else."""

from __future__ import annotations

import logging

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.domain.errors import StoreUnavailable
from bot.slack.listening import (
    ADMITTED_PERSON,
    AdmittedPerson,
    ListenerDependencies,
    error_boundary,
    within_ack_deadline,
)
from bot.slack.private_messages import user_of
from bot.slack.request_tracking import count_slack_errors, error_code, track_listener
from bot.slack.responders import HomeResponder
from bot.views.home import (
    PICTURES_PER_PAGE,
    WORKING_PER_PAGE,
    HomePage,
    Page,
    home_view,
    parse_page,
)
from bot.views.ids import DEFAULT_OPTION
from bot.views.option_selects import option_value
from bot.views.usage_words import bar_words

log = logging.getLogger(__name__)

_SIZE = (WORKING_PER_PAGE, PICTURES_PER_PAGE)


class Home:
    """The tab is published anew whenever somebody opens it, and after each of its buttons. The
    view's metadata tells which page it shows, and the person's direct channel."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def opened(self, args: AsyncArgs) -> None:
        if args.body["event"].get("tab") != "home":
            await args.ack()
            return
        with track_listener() as tracked:
            try:
                home_page, usage = await within_ack_deadline(self._home_page(args, Page()))
                await args.ack()
                await self._publish(args, home_page, usage)
            except Exception as error:  # noqa: BLE001 - nothing may escape a listener
                away = isinstance(error, StoreUnavailable)
                tracked.outcome = "unavailable" if away else "error"
                await args.ack()
                log.warning("the Home tab could not be shown: %s", type(error).__name__)

    async def page_turned(self, args: AsyncArgs) -> None:
        async with error_boundary(HomeResponder(args)):
            page = parse_page(args.body["actions"][0].get("value") or "")
            await self._show(args, page)

    async def default_chosen(self, args: AsyncArgs) -> None:
        """One select: the option is kept right away."""
        async with error_boundary(HomeResponder(args)):
            action = args.body["actions"][0]
            name = action["action_id"].removeprefix(f"{DEFAULT_OPTION}_")
            value = option_value((action.get("selected_option") or {}).get("value") or "")
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            setting = self._services.library.set_default(admitted.team, admitted.owner, name, value)
            await within_ack_deadline(setting)
            await self._show(args, _page_of(args))

    async def last_kept(self, args: AsyncArgs) -> None:
        async with error_boundary(HomeResponder(args)):
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            await within_ack_deadline(
                self._services.library.keep_last(admitted.team, admitted.owner)
            )
            await self._show(args, _page_of(args))

    async def _show(self, args: AsyncArgs, page: Page) -> None:
        """Ack first: what was chosen is kept by now."""
        await args.ack()
        await self._publish(args, *await within_ack_deadline(self._home_page(args, page)))

    async def _home_page(self, args: AsyncArgs, page: Page) -> tuple[HomePage, str]:
        """With a line about what the person has used."""
        admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
        home_page = await self._services.library.home_page(
            admitted.team, admitted.owner, size=_SIZE, pages=page
        )
        own = await self._services.own_usage(admitted.team, "", admitted.owner)
        return home_page, bar_words(own) if own else ""

    async def _publish(self, args: AsyncArgs, home_page: HomePage, usage: str) -> None:
        """Where Slack refuses the tab, it goes without images: one of them may be deleted."""
        try:
            await self._publish_with(args, home_page, usage, images=True)
        except SlackApiError as error:
            if error_code(error) not in {"invalid_blocks", "invalid_arguments"}:
                raise
            await self._publish_with(args, home_page, usage, images=False)

    async def _publish_with(
        self, args: AsyncArgs, home_page: HomePage, usage: str, *, images: bool
    ) -> None:
        dependencies = self._dependencies
        view = home_view(
            home_page,
            dependencies.identity.url,
            self._services.option_table,
            images=images,
            label=dependencies.ai_label,
            conversation=_conversation_of(args),
            usage=usage,
        )
        page = Page(home_page.working_page, home_page.pictures_page)
        with count_slack_errors("views.publish"):
            await args.client.views_publish(
                user_id=user_of(args),
                view={**view, "private_metadata": f"{page} {_conversation_of(args)}".strip()},
            )


def _page_of(args: AsyncArgs) -> Page:
    return parse_page(_metadata(args).partition(" ")[0])


def _conversation_of(args: AsyncArgs) -> str:
    """The person's direct channel with the bot: Slack names it as the tab is opened, and the
    view's metadata keeps it."""
    event: dict[str, str] = args.body.get("event") or {}
    return event.get("channel") or _metadata(args).partition(" ")[2]


def _metadata(args: AsyncArgs) -> str:
    return (args.body.get("view") or {}).get("private_metadata") or ""
