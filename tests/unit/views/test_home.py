"""The Home tab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import view_problems
from bot.sandbox.workspace.markup import pings_in_blocks, texts
from bot.views import ids
from bot.views.home import (
    PICTURES_PER_PAGE,
    WORKING_PER_PAGE,
    HomePage,
    Page,
    View,
    home_view,
    parse_page,
)
from tests.fakes import MODEL, PROMPT, a_session, generating
from tests.unit.views.samples import (
    EVERY_OPTION,
    PROMPTS,
    from_picture,
    refined,
    with_images,
    with_prompt,
)

URL = "https://acme.slack.example/"
LINK = "https://acme.slack.example/archives/C1/p10"
WORKING = generating()
APPROVED = a_session(Stage.FINAL, attempts=2)


def a_home_page(
    working: tuple[Session, ...] = (), pictures: tuple[Session, ...] = (), **changes: Any
) -> HomePage:
    home_page = HomePage(
        working, len(working), 0, pictures, len(pictures), 0, NO_OPTIONS, NO_OPTIONS
    )
    return replace(home_page, **changes)


def full(page: Page, working: Session = WORKING, approved: Session = APPROVED) -> HomePage:
    """Hundreds of sessions, at one page of each list."""
    return a_home_page(
        (working,) * WORKING_PER_PAGE,
        (approved,) * PICTURES_PER_PAGE,
        in_progress=300,
        working_page=page.working,
        approved=700,
        pictures_page=page.pictures,
        defaults=Options(size="1280x720"),
        last=EVERY_OPTION,
    )


def problems(view: View) -> list[str]:
    return view_problems(view, kinds=("home",))


def elements(view: View) -> dict[str, dict[str, Any]]:
    """Action id → button or select."""
    found = [e for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert len({e["action_id"] for e in found}) == len(found)
    return {e["action_id"]: e for e in found}


def words(view: View) -> str:
    return "\n".join(texts(view["blocks"], ("mrkdwn", "plain_text")))


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_hundreds_of_sessions_with_any_prompt_make_a_lawful_tab(prompt: str) -> None:
    working = with_prompt(refined(generating(3), ImageRef(2)), prompt)
    approved = with_prompt(refined(with_images(APPROVED, 4), ImageRef(1)), prompt)
    for images in (True, False):
        view = home_view(full(Page(1, 2), working, approved), URL, images=images)
        assert problems(view) == []
        assert len(view["blocks"]) < 60
        written = (f"<{LINK}|", "<#C1>", "<!date^")
        assert all(ping.startswith(written) for ping in pings_in_blocks(view["blocks"]))


def test_who_has_nothing_is_told_what_to_type() -> None:
    view = home_view(a_home_page(), URL)
    assert problems(view) == []
    assert "Type `/imagine a robot eating pizza on Mars`" in words(view)
    assert "Press *Approve*" in words(view)
    assert set(elements(view)) == {f"{ids.DEFAULT_OPTION}_{spec.name}" for spec in OPTIONS}


def test_a_session_in_progress_shows_prompt_status_and_the_way_to_it() -> None:
    view = home_view(a_home_page((WORKING,)), URL)
    assert problems(view) == []
    plain = list(texts(view["blocks"], ("plain_text",)))
    assert plain[:2] == ["In progress (1)", PROMPT]
    assert f"⏳ Queued · <{LINK}|Open thread>" in words(view)


def test_a_session_without_a_message_yet_has_no_link() -> None:
    view = home_view(a_home_page((replace(WORKING, root_ts="", thread_ts=""),)), URL)
    assert "Open thread" not in words(view)


def test_the_gallery_shows_the_approved_image_of_each_session() -> None:
    chosen = replace(with_images(APPROVED, 3), final_candidate=3)
    view = home_view(a_home_page(pictures=(APPROVED, chosen)), URL)
    shown = [b["accessory"] for b in view["blocks"] if "accessory" in b]
    assert [b["slack_file"]["id"] for b in shown] == ["F2", "F2.3"]
    assert words(view).count(f"<#{APPROVED.channel}> · <!date^") == 2
    assert shown[0]["alt_text"] == f"AI-generated · {MODEL}: {PROMPT}"
    assert f"<{LINK}|{PROMPT}>" in words(view)


def test_what_cannot_be_shown_is_a_link() -> None:
    shared = with_attempt(APPROVED, replace(APPROVED.attempt(2), as_file=True))
    for view in (
        home_view(a_home_page(pictures=(shared,)), URL),
        home_view(a_home_page(pictures=(APPROVED,)), URL, images=False),
    ):
        assert [b for b in view["blocks"] if "accessory" in b] == []
        assert f"<{LINK}|{PROMPT}>" in words(view)


@pytest.mark.parametrize(
    ("page", "turns"),
    [
        (Page(0, 0), {"working_next": "1.0", "pictures_next": "0.1"}),
        (
            Page(1, 2),
            {
                "working_prev": "0.2",
                "working_next": "2.2",
                "pictures_prev": "1.1",
                "pictures_next": "1.3",
            },
        ),
        (Page(59, 116), {"working_prev": "58.116", "pictures_prev": "59.115"}),
    ],
)
def test_each_list_is_paged_by_itself(page: Page, turns: dict[str, str]) -> None:
    found = elements(home_view(full(page), URL))
    values = {
        action_id.removeprefix(f"{ids.HOME_PAGE}_"): each["value"]
        for action_id, each in found.items()
        if ids.ACTIONS[ids.HOME_PAGE].search(action_id)
    }
    assert values == turns


def test_what_fits_on_a_page_has_no_pages() -> None:
    view = home_view(a_home_page((WORKING,) * 5, (APPROVED,) * 6), URL)
    assert not any(map(ids.ACTIONS[ids.HOME_PAGE].search, elements(view)))


@pytest.mark.parametrize("page", [Page(), Page(3, 0), Page(99_999, 7)])
def test_a_page_comes_back_as_it_was(page: Page) -> None:
    assert parse_page(str(page)) == page


@pytest.mark.parametrize("invented", ["", "1", "1.2.3", "-1.0", "x.y", "1.٣", "999999.0", "1.2\n"])
def test_an_invented_page_is_the_first(invented: str) -> None:
    assert parse_page(invented) == Page(0, 0)


def test_the_defaults_are_selects_that_say_what_is_chosen() -> None:
    view = home_view(a_home_page(defaults=Options(size="1280x720", quality="high")), URL)
    found = elements(view)
    chosen = {
        action_id: each["initial_option"]["text"]["text"]
        for action_id, each in found.items()
        if ids.ACTIONS[ids.DEFAULT_OPTION].search(action_id)
    }
    words = {"Size": "1280×720", "Quality": "High"}
    assert list(chosen.values()) == [
        f"{spec.label}: {words.get(spec.label, 'Default')}" for spec in OPTIONS
    ]


def test_other_defaults_are_another_block_so_that_clients_show_them() -> None:
    def block_id(options: Options) -> str:
        blocks = home_view(a_home_page(defaults=options), URL)["blocks"]
        found = [str(b.get("block_id", "")) for b in blocks]
        return next(each for each in found if each.startswith("defaults"))

    different = [NO_OPTIONS, EVERY_OPTION, Options(count=2), Options(quality="auto")]
    assert len({block_id(options) for options in different}) == 4


def test_the_last_options_can_be_kept_where_they_are_others() -> None:
    def kept(last: Options, defaults: Options = NO_OPTIONS) -> str:
        found = elements(home_view(a_home_page(last=last, defaults=defaults), URL))
        return str(found[ids.KEEP_LAST]["text"]["text"]) if ids.KEEP_LAST in found else ""

    wide = Options(size="1792x1008", count=2)
    assert kept(last=wide) == "Keep my last options: 1792×1008 · 2 images"
    assert len(kept(last=EVERY_OPTION.replace(size="3840x2160"))) <= 75
    assert kept(last=NO_OPTIONS) == ""
    assert kept(last=wide, defaults=wide) == ""


def test_it_explains_how_it_works() -> None:
    assert "*How it works*" in words(home_view(a_home_page(), URL))


def test_a_link_into_a_thread_is_escaped() -> None:
    session = from_picture(a_session(root_ts="2.5", thread_ts="1.0"))
    shown = words(home_view(a_home_page((session,)), URL))
    assert f"<{URL}archives/C1/p25?thread_ts=1.0&amp;cid=C1|" in shown
