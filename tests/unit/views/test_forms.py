"""The modals."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.refusals import Reason, Refusal
from bot.sandbox.webapi.block_kit import view_problems
from bot.sandbox.workspace.markup import pings_in_blocks, texts
from bot.views import ids
from bot.views.blocks import Target, target_of
from bot.views.forms import (
    Picture,
    SourcePictures,
    View,
    edit_form,
    image_form,
    prompt_form,
    read_options,
    read_picture,
    refine_form,
)
from tests.fakes import PROMPT, a_session
from tests.unit.views.samples import (
    EVERY_OPTION,
    HOSTILE,
    PROMPTS,
    refined,
    with_images,
    with_prompt,
)

TARGET = Target("T1.U1.abc123", ImageRef(2))
PICTURE = Picture("F1", "image/png", 1000, "otter.png")
OTHER = PICTURE._replace(file_id="F2")


def block(form: View, block_id: str) -> dict[str, Any]:
    return next(b for b in form["blocks"] if b.get("block_id") == block_id)


def field(form: View) -> dict[str, Any]:
    element: dict[str, Any] = block(form, ids.PROMPT_BLOCK)["element"]
    return element


def brought(*pictures: Picture) -> SourcePictures:
    return SourcePictures("C1", "1.0", "1.5", pictures)


def as_opened(form: View) -> dict[str, Any]:
    """The `state.values` of a form that nobody has touched."""
    return {
        b["block_id"]: {b["element"]["action_id"]: {"selected_option": chosen}}
        for b in form["blocks"]
        if (chosen := b.get("element", {}).get("initial_option"))
    }


@pytest.mark.parametrize("prompt", ["", *PROMPTS.values()], ids=["empty", *PROMPTS.keys()])
def test_every_form_is_lawful_and_makes_no_markup(prompt: str) -> None:
    for options in (NO_OPTIONS, EVERY_OPTION, Options(size="1280x720")):
        for form in (prompt_form(TARGET, prompt, options), edit_form(TARGET, prompt, options)):
            assert view_problems(form) == []
            assert pings_in_blocks(form["blocks"]) == []
            assert target_of(form["private_metadata"]) == TARGET


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_the_form_for_a_change_recalls_any_prompt_as_plain_text(prompt: str) -> None:
    session = with_prompt(refined(a_session(attempts=2), ImageRef(1)), prompt)
    form = refine_form(TARGET, session)
    assert view_problems(form) == []
    assert list(texts(form["blocks"])) == []


@pytest.mark.parametrize("name", ["", " ", HOSTILE, "🦦" * 100, "otter.png"])
@pytest.mark.parametrize("count", [1, 2, 10, 40])
def test_the_form_for_pictures_is_lawful_with_any_names(name: str, count: int) -> None:
    files = [Picture(f"F0123456789{n}", "image/jpeg", 10**8, name) for n in range(count)]
    form = image_form(brought(*files), EVERY_OPTION)
    assert view_problems(form) == []
    carried = SourcePictures.from_metadata(form["private_metadata"])
    assert carried is not None
    assert [p.file_id for p in carried.files] == [p.file_id for p in files[:10]]


def test_the_forms_are_told_apart_and_take_several_lines() -> None:
    forms = [
        prompt_form(TARGET),
        edit_form(TARGET, "x"),
        refine_form(TARGET, a_session(attempts=2)),
        image_form(brought(PICTURE)),
    ]
    wanted = [ids.PROMPT_FORM, ids.EDIT_FORM, ids.REFINE_FORM, ids.IMAGE_FORM]
    assert [form["callback_id"] for form in forms] == wanted
    assert all(field(form)["multiline"] for form in forms)
    assert "initial_value" not in field(forms[0])


def test_a_form_starts_with_the_prompt() -> None:
    assert field(prompt_form(TARGET, "a robot"))["initial_value"] == "a robot"
    assert "hint" not in edit_form(TARGET, "a robot")["blocks"][0]


def test_a_prompt_that_does_not_fit_is_cut_and_says_so() -> None:
    form = edit_form(TARGET, "🚀" * 3_000)
    assert str(field(form)["initial_value"]).endswith("🚀…")
    assert "was longer" in form["blocks"][0]["hint"]["text"]


def test_the_form_for_a_change_says_what_it_is_about() -> None:
    session = refined(a_session(attempts=2), ImageRef(1))
    form = refine_form(TARGET, session)
    assert target_of(form["private_metadata"]) == TARGET
    recalled = form["blocks"][0]["elements"][0]["text"]
    assert recalled == f"Attempt 2: {PROMPT}\nfriendlier cat"
    assert block(form, ids.PROMPT_BLOCK)["label"]["text"] == "What should change?"


def test_the_form_for_a_change_names_the_image_among_several() -> None:
    target = TARGET._replace(image=ImageRef(2, 3))
    form = refine_form(target, with_images(a_session(attempts=2), 4))
    assert form["blocks"][0]["elements"][0]["text"].startswith("Image 3 of attempt 2: ")
    assert target_of(form["private_metadata"]) == target


@pytest.mark.parametrize(
    "options",
    [
        NO_OPTIONS,
        EVERY_OPTION,
        Options(size="auto", quality="auto", background="auto", count=1),
        Options(size="1280x720", count=2),
        Options(quality="xhigh", background="opaque"),
    ],
)
def test_what_a_form_shows_is_what_is_read_from_it(options: Options) -> None:
    for form in (
        prompt_form(TARGET, "", options),
        edit_form(TARGET, "x", options),
        image_form(brought(PICTURE), options),
    ):
        assert read_options(as_opened(form)) == options


def test_a_single_picture_needs_no_choice() -> None:
    form = image_form(brought(PICTURE))
    assert ids.PICTURE_BLOCK not in [b.get("block_id") for b in form["blocks"]]
    assert read_picture(as_opened(form), brought(PICTURE)) == PICTURE


def test_one_of_several_pictures_is_chosen() -> None:
    both = brought(PICTURE, OTHER)
    form = image_form(both)
    assert read_picture(as_opened(form), both) == PICTURE
    offered = block(form, ids.PICTURE_BLOCK)["element"]["options"]
    chosen = {ids.PICTURE_BLOCK: {ids.PICTURE_BLOCK: {"selected_option": offered[1]}}}
    assert read_picture(chosen, both) == OTHER


@pytest.mark.parametrize("value", ["F9", "", "default"])
def test_a_picture_that_was_not_offered_is_refused(value: str) -> None:
    invented = {ids.PICTURE_BLOCK: {ids.PICTURE_BLOCK: {"selected_option": {"value": value}}}}
    for there in (brought(), brought(PICTURE, OTHER)):
        with pytest.raises(Refusal) as refused:
            read_picture(invented, there)
        assert refused.value.reason is Reason.NO_IMAGE_THERE


def test_a_picture_becomes_what_a_session_starts_from() -> None:
    source = PICTURE.source
    assert (source.file_id, source.mime_type, source.size) == ("F1", "image/png", 1000)
