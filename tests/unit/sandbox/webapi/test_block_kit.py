"""What the checks of blocks and views refuse, and what they let through."""

from typing import Any

import pytest

from bot.sandbox.webapi.block_kit import block_problems, view_problems
from tests.support.samples import SIZES, actions, button, form, image_blocks, menu, option


def section(text: str, kind: str = "mrkdwn", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}, **more}


GOOD = [
    [section("x" * 3000)],
    image_blocks("F1"),
    actions(button(), button("Regenerate", "regenerate") | {"style": "danger"}),
    [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]}, {"type": "divider"}],
    [{"type": "header", "text": {"type": "plain_text", "text": "x"}}],
    [{"type": "markdown", "text": "**x**"}],
    [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "<!here>"}]}
            ],
        }
    ],
]
BAD: dict[str, Any] = {
    "no list": "x",
    "too many blocks": [{"type": "divider"}] * 51,
    "unknown type": [{"type": "bogus"}],
    "unknown key": [section("x", colour="red")],
    "long text": [section("x" * 3001)],
    "empty text": [section("")],
    "blank text": [section("  ")],
    "input in a message": form()["blocks"],
    "no alt text": [{"type": "image", "slack_file": {"id": "F1"}}],
    "empty file": [{"type": "image", "slack_file": {}, "alt_text": "x"}],
    "no source": [{"type": "image", "alt_text": "x"}],
    "two sources": [
        {"type": "image", "slack_file": {"id": "F1"}, "image_url": "https://x.y", "alt_text": "x"}
    ],
    "long alt text": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x" * 2001}],
    "mrkdwn in a button": actions(button() | {"text": {"type": "mrkdwn", "text": "x"}}),
    "long button": actions(button("x" * 76)),
    "long value": actions(button(value="x" * 2001)),
    "style": actions(button() | {"style": "blue"}),
    "action_id twice": actions(button(), button()),
    "too many buttons": actions(*[button(action_id=str(n)) for n in range(26)]),
    "no buttons": actions(),
    "block_id twice": [section("x", block_id="b"), section("y", block_id="b")],
    "long header": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
    "long context": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
}


@pytest.mark.parametrize("blocks", GOOD)
def test_good_blocks(blocks: list[dict[str, Any]]) -> None:
    assert block_problems(blocks) == []


@pytest.mark.parametrize("name", BAD)
def test_bad_blocks(name: str) -> None:
    problems = block_problems(BAD[name])
    assert problems
    assert all("[json-pointer:/blocks" in problem for problem in problems)


def test_good_form() -> None:
    assert view_problems(form(private_metadata="x" * 3000)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"title": {"type": "mrkdwn", "text": "x"}},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": []},
        {"type": "home"},
        {"colour": "red"},
        {"blocks": [{"type": "markdown", "text": "x"}]},
    ],
)
def test_bad_forms(change: dict[str, Any]) -> None:
    assert view_problems(form(**change))


def test_inputs_need_a_submit_button() -> None:
    view = form()
    del view["submit"]
    assert "submit" in view_problems(view)[0]


def test_home_has_no_title() -> None:
    view = form(type="home")
    assert view_problems(view, kinds=("home",))


LABEL = {"type": "plain_text", "text": "Sizes"}


GROUP = {"label": LABEL, "options": list(SIZES)}


BAD_MENUS: dict[str, dict[str, Any]] = {
    "no options": menu(),
    "too many options": menu(*[option(str(n)) for n in range(101)]),
    "too many to overflow": menu(*[option(str(n)) for n in range(6)], kind="overflow"),
    "long words": menu(option("x" * 76)),
    "long value": menu(option("x", "v" * 151)),
    "one value twice": menu(option("x", "v"), option("y", "v")),
    "initial option that is none": menu(*SIZES, initial_option=option("Tall")),
    "long description": menu(option("x", description={"type": "plain_text", "text": "d" * 76})),
    "url in a select": menu(option("x", url="https://x.example")),
    "options and groups": menu(*SIZES, option_groups=[GROUP]),
    "long placeholder": menu(*SIZES, placeholder={"type": "plain_text", "text": "x" * 151}),
    "an empty group": {
        "type": "static_select",
        "action_id": "size",
        "option_groups": [{**GROUP, "options": []}],
    },
}


@pytest.mark.parametrize("name", BAD_MENUS)
def test_bad_menus(name: str) -> None:
    assert block_problems(actions(BAD_MENUS[name]))


@pytest.mark.parametrize(
    "element",
    [
        menu(*SIZES, initial_option=SIZES[1]),
        menu(option("One", url="https://x.example"), kind="overflow"),
        {"type": "static_select", "action_id": "size", "option_groups": [GROUP]},
    ],
)
def test_good_menus(element: dict[str, Any]) -> None:
    assert block_problems(actions(element)) == []
    label = {"type": "plain_text", "text": "Size"}
    if element["type"] != "overflow":
        field = {"type": "input", "block_id": "b", "label": label, "element": element}
        assert view_problems(form(blocks=[field])) == []
