"""How the setting that says who may direct a session is written."""

from __future__ import annotations

import re

import pytest

from bot.domain.policy import Policy
from tests.fakes import a_session, somebody


def test_the_words_of_the_setting_are_no_users() -> None:
    assert not Policy.parse("owner").allows(somebody("owner"), a_session())


@pytest.mark.parametrize(
    "right", ["owner", "anyone", "U0BOSS0002", "W013QGS7BPF,U1", "U1, U2", " anyone "]
)
def test_what_is_spelled_right_is_taken(right: str) -> None:
    Policy.parse(right)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("everyone", "everyone is not known; did you mean anyone?"),
        ("Anyone", "did you mean anyone?"),
        ("ANYONE", "did you mean anyone?"),
        ("anyoen", "did you mean anyone?"),
        ("all", "did you mean anyone?"),
        ("*", "did you mean anyone?"),
        ("Owner", "did you mean owner?"),
        ("owners", "did you mean owner?"),
        ("owner,", "did you mean owner?"),
        ("u0boss0002;u0boss0003", "did you mean U0BOSS0002,U0BOSS0003?"),
        ("u0boss0002", "did you mean U0BOSS0002?"),
        ("U0BOSS0002;", "did you mean U0BOSS0002?"),
        ("U0BOSS0002 U0BOSS0003", "did you mean U0BOSS0002,U0BOSS0003?"),
        ("U0BOSS0002,,U0BOSS0003", "did you mean U0BOSS0002,U0BOSS0003?"),
        ("U0BOSS0002\nU0BOSS0003", "did you mean U0BOSS0002,U0BOSS0003?"),
        ("'U0BOSS0002'", "did you mean U0BOSS0002?"),
        ("<@U123>", "did you mean U123?"),
        ("<@U0BOSS0002|bob>,@U0BOSS0003", "did you mean U0BOSS0002,U0BOSS0003?"),
        ("owner,U0BOSS0002", "did you mean U0BOSS0002?"),
        ("owner,anyone", "did you mean owner or anyone?"),
        ("U0BOSS0002,everyone", "did you mean U0BOSS0002 or anyone?"),
        ("@bob", "@bob is no user ID; it takes owner, anyone, or user IDs"),
        ("@wally", "@wally is no user ID"),
        ("nobody", "nobody is no user ID"),
        ("URSULA", "URSULA is no user ID"),
        ("USLACKBOT", "USLACKBOT is no user ID"),
        ("U0BOSS0002,B0BOT0001", "B0BOT0001 is no user ID"),
        ("U０BOSS0002", "is no user ID"),
        ("U0BÖSS0002", "is no user ID"),
        ("U" + "1" * 30, "an entry is no user ID"),
        ("xoxb-1234567890-abcdefghijkl", "an entry is no user ID"),
        (" ", "names nobody; it takes owner, anyone, or user IDs"),
        (",", "names nobody"),
    ],
)
def test_a_wrong_spelling_is_told_with_the_right_one(wrong: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        Policy.parse(wrong)
    assert len(str(error.value).splitlines()) == 1
