from bot.adapters.openai import wording
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.prompt import MAX_PROMPT

BASE = BaseImage(b"png", "image/png")


def test_what_led_to_the_image_comes_before_the_change() -> None:
    request = ImageRequest("a robot", base=BASE, changes=("red", "at sea"), change="wave\n*hi*")
    text = wording.change_prompt_with_history(request)
    places = [text.index(part) for part in ("a robot", "- red\n- at sea", "Change only this")]
    assert places == sorted(places)
    assert text.endswith("\n\nwave\n*hi*")


def test_the_past_is_cut_where_there_is_no_room_and_the_change_stays_whole() -> None:
    change = "y" * 20_000
    for prompt, changes in (("x" * MAX_PROMPT, ()), ("a robot", ("z" * MAX_PROMPT,) * 3)):
        text = wording.change_prompt_with_history(
            ImageRequest(prompt, base=BASE, changes=changes, change=change)
        )
        assert len(text) <= MAX_PROMPT
        assert text.endswith(change)


def test_the_longest_change_goes_alone() -> None:
    change = "y" * MAX_PROMPT
    request = ImageRequest("a robot", base=BASE, change=change, avoid=("a red robot",))
    assert wording.change_prompt(request) == wording.change_prompt_with_history(request) == change
    assert wording.single_prompt(request) == change


def test_of_too_many_turned_down_the_latest_are_told() -> None:
    avoid = [f"robot {number} " + "x" * 2000 for number in range(50)]
    text = wording.avoid_prompt(avoid)
    assert len(text) <= wording.LONGEST_LIST
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert lines[-1].startswith("- robot 49")
    assert [int(line.split()[2]) for line in lines] == list(range(50 - len(lines), 50))
    assert all(len(line) <= wording.LONGEST_WORDING + 2 for line in lines)


def test_nothing_turned_down_says_nothing() -> None:
    assert wording.avoid_prompt(()) == ""
    assert wording.avoid_prompt(("", "  ")) == ""


def test_every_length_fits_in_one_prompt() -> None:
    avoid = ("a red robot", "a blue robot")
    for length in range(MAX_PROMPT - 400, MAX_PROMPT + 1):
        text = wording.single_prompt(ImageRequest("x" * length, avoid=avoid))
        assert text.startswith("x" * length)
        assert len(text) <= MAX_PROMPT
