"""The settings: names, defaults, and errors that name the variable and never its value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.__main__ import main
from bot.domain.limit_settings import LimitKind
from bot.domain.option_table import OPTIONS
from bot.settings import Backend, Settings

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-secret",
    "SLACK_APP_TOKEN": "xapp-secret",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "OPENAI_API_KEY": "sk-secret",
    "REDIS_URL": "redis://:password@h:6379/0",
    "AUDIT_KEY": "0123456789abcdef0123456789abcdef",
    "AUDIT_KEY_FALLBACKS": "fedcba9876543210fedcba9876543210",
}
PLAIN = {
    "SLACK_API_URL": "http://localhost:9/api/",
    "OPENAI_BASE_URL": "http://localhost:9/v1",
    "PORT": "8080",
    "IMAGE_BACKEND": "placeholder",
    "IMAGE_MODEL": "m",
    "IMAGE_HOST_MODEL": "h",
    "IMAGE_SIZE": "auto",
    "IMAGE_QUALITY": "high",
    "PARTIAL_IMAGES": "2",
    "PLACEHOLDER_DELAY": "0.0",
    "AVOID_REJECTED": "False",
    "AI_LABEL": "Made by AI",
    "WORKER_CONCURRENCY": "7",
    "SESSION_TTL": "600",
    "IMAGE_TTL": "60",
    "AUDIT_TTL": "3600",
    "AUDIT_PROMPTS": "none",
    "LOG_LEVEL": "DEBUG",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the machine, and no `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_every_setting_has_a_default() -> None:
    settings = Settings()
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.image_backend is Backend.RESPONSES
    assert (settings.session_ttl, settings.image_ttl) == (7 * 24 * 3600, 3600)
    assert (settings.partial_images, settings.avoid_rejected) == (0, True)
    assert settings.image_quality == "medium"  # `auto` has no bound on its cost
    assert settings.official_openai
    assert not settings.socket_mode


def test_each_is_read_from_the_environment_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **PLAIN}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    for name, value in SECRETS.items():
        assert getattr(settings, name.lower()).get_secret_value() == value
    for name, value in PLAIN.items():
        assert str(getattr(settings, name.lower())) == value
    assert settings.socket_mode
    assert not settings.official_openai


def test_a_dotenv_file_is_read_and_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("IMAGE_MODEL=from-file\nPORT=4000\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("PORT", "5000")
    settings = Settings()
    assert (settings.image_model, settings.port) == ("from-file", 5000)


def test_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    assert Settings().port == 3000
    assert not Settings().socket_mode


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for value in SECRETS.values():
        assert value not in shown


@pytest.mark.parametrize(
    ("given", "micro"),
    [
        ("10", 10**7),
        ("10.50", 10_500_000),
        ("1e3", 10**9),
        ("0.000001", 1),
        ("0", 0),
        ("0.00", 0),
        ("", 0),
    ],
)
def test_budgets_are_dollars_and_0_sets_no_limit(
    monkeypatch: pytest.MonkeyPatch, given: str, micro: int
) -> None:
    monkeypatch.setenv("USER_BUDGET_PER_MONTH", given)
    assert Settings().operator_limits[LimitKind.USER_BUDGET_PER_MONTH] == micro


@pytest.mark.parametrize(
    "given", ["-1", "$10", "ten", "1,5", "nan", "sNaN", "inf", "1e-7", "1000001", " "]
)
def test_what_is_no_budget_is_told_with_what_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    monkeypatch.setenv("USER_BUDGET_PER_MONTH", given)
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "must be dollars above 0" in said
    assert "0 sets no limit" in said


@pytest.mark.parametrize("name", ["Asia/Kathmandu", " America/St_Johns ", "Pacific/Apia\n"])
def test_blanks_around_a_time_zone_do_not_count(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TIMEZONE", name)
    assert Settings().zone == ZoneInfo(name.strip())


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [("https://slack.test/api", "https://slack.test/api/"), ("http://x/api//", "http://x/api/")],
)
def test_the_api_url_ends_with_one_slash(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: str
) -> None:
    monkeypatch.setenv("SLACK_API_URL", given)
    assert Settings().slack_api_url == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("IMAGE_BACKEND", "dalle"),
        ("IMAGE_SIZE", "big"),
        ("IMAGE_SIZE", "1024"),
        ("IMAGE_SIZE", "1000x1000"),
        ("IMAGE_SIZE", "100x100"),
        ("IMAGE_SIZE", "4096x4096"),
        ("IMAGE_SIZE", "3200x800"),
        ("IMAGE_SIZE", "0x1024"),
        ("IMAGE_QUALITY", "best"),
        ("IMAGE_TIMEOUT", "0"),
        ("PARTIAL_IMAGES", "4"),
        ("PARTIAL_IMAGES", "-1"),
        ("PLACEHOLDER_DELAY", "-1"),
        ("PLACEHOLDER_DELAY", "nan"),
        ("PLACEHOLDER_DELAY", "inf"),
        ("AVOID_REJECTED", "sometimes"),
        ("AI_LABEL", "  "),
        ("AI_LABEL", "\u200b"),
        ("AI_LABEL", "made\nby AI"),
        ("AI_LABEL", "made\u2028by AI"),
        ("AI_LABEL", "made\x1bby AI"),
        ("AI_LABEL", "g\udce9n\udce9r\udce9 par IA"),
        ("AI_LABEL", "\u3164"),
        ("AI_LABEL", "\u2800\u2800"),
        ("AI_LABEL", "x" * 81),
        ("WORKER_CONCURRENCY", "0"),
        ("SESSION_TTL", "1"),
        ("SESSION_TTL", "9" * 20),
        ("IMAGE_TTL", "-1"),
        ("IMAGE_TTL", "0"),
        ("IMAGE_TTL", "9" * 20),
        ("LEDGER_TTL", "9" * 20),
        ("AUDIT_TTL", "9" * 20),
        ("IMAGE_TIMEOUT", "inf"),
        ("SHUTDOWN_GRACE", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("SLACK_MESSAGES_PER_SECOND", "0"),
        ("SLACK_MESSAGES_PER_SECOND", "-1"),
        ("SLACK_MESSAGES_PER_SECOND", "nan"),
        ("USER_IMAGES_AT_ONCE", "-1"),
        ("USER_IMAGES_WAITING", "-1"),
        ("PROVIDER_CONCURRENCY", "0"),
        ("USER_BYTES", "-1"),
        ("LOG_LEVEL", "chatty"),
        ("AUDIT_TTL", "60"),
        ("AUDIT_KEY", "short"),
        ("AUDIT_KEY_FALLBACKS", "short"),
        ("AUDIT_KEY_FALLBACKS", "0123456789abcdef0123456789abcdef,short"),
        ("AUDIT_KEY_FALLBACKS", "0123456789abcdef0123456789abcdef,"),
        ("AUDIT_PROMPTS", "some"),
        ("JOB_LEASE", "2"),
        ("SHUTDOWN_GRACE", "-1"),
        ("DIRECTORS", "everyone"),
        ("WHO_MAY_START", "guests"),
        ("TIMEZONE", "Nowhere/City"),
        ("TIMEZONE", "europe/nowhere"),
        ("TIMEZONE", "UTC+2"),
        ("TIMEZONE", " "),
        ("TIMEZONE", "../UTC"),
        ("TIMEZONE", "Europe"),
        ("TIMEZONE", "/etc/localtime"),
        ("USER_IMAGES_PER_DAY", "-1"),
        ("USER_IMAGES_PER_DAY", "ten"),
        ("USER_IMAGES_PER_DAY", "1.5"),
        ("USER_BUDGET_PER_MONTH", "$10"),
        ("USER_BUDGET_PER_MONTH", "nan"),
        ("CHANNEL_BUDGET_PER_MONTH", "-0.5"),
        ("CHANNEL_BUDGET_PER_MONTH", "1e-7"),
        ("WORKSPACE_BUDGET_PER_MONTH", "-1"),
        ("WORKSPACE_BUDGET_PER_MONTH", "0.0000009"),
    ],
)
def test_a_wrong_value_ends_the_program_with_the_names_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    for secret, kept in SECRETS.items():
        monkeypatch.setenv(secret, kept)
    monkeypatch.setenv(name, value)
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"imagine-bot: {name}: ")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    for kept in SECRETS.values():
        assert kept not in said


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("DIRECTORS", "everyone", "anyone"),
        ("DIRECTORS", "Anyone", "anyone"),
        ("DIRECTORS", "u0boss0002;u0boss0003", "U0BOSS0002,U0BOSS0003"),
        ("DIRECTORS", "u0boss0002, u0boss0003", "U0BOSS0002,U0BOSS0003"),
        ("WHO_MAY_START", "Team", "team"),
        ("WHO_MAY_START", " team", "team"),
        ("WHO_MAY_START", "members", "team"),
        ("WHO_MAY_START", "full-members", "full_members"),
        ("WHO_MAY_START", "Full Members", "full_members"),
        ("WHO_MAY_START", "fullmembers", "full_members"),
        ("WHO_MAY_START", "full_member", "full_members"),
        ("WHO_MAY_START", "everybody", "anyone"),
        ("WHO_MAY_START", "ANYONE", "anyone"),
    ],
)
def test_who_may_do_what_is_never_guessed_but_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    wrong: str,
    right: str,
) -> None:
    monkeypatch.setenv(name, wrong)
    assert main(["web"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"imagine-bot: {name}: ")
    assert f"did you mean {right}?" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("u0boss0002", "did you mean U0BOSS0002?"),
        ("U0BOSS0002;W0BOSS0003", "did you mean U0BOSS0002,W0BOSS0003?"),
        ("U0BOSS0002\n", "did you mean U0BOSS0002?"),
        ("U0BOSS0002,", "did you mean U0BOSS0002?"),
        ('"U0BOSS0002"', "did you mean U0BOSS0002?"),
        ("<@U0BOSS0002|boss>", "did you mean U0BOSS0002?"),
        ("@boss", "@boss is no user ID"),
        ("Uwe", "Uwe is no user ID"),
        ("anyone", "anyone is no user ID"),
        ("owner", "owner is no user ID"),
        ("S0BOSS0002", "S0BOSS0002 is no user ID"),
        (",", "names nobody"),
    ],
)
def test_admins_are_never_guessed_but_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    monkeypatch.setenv("ADMINS", given)
    assert main(["web"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("imagine-bot: ADMINS: ")
    assert said in told


@pytest.mark.parametrize("given", [" U0BOSS0002 , W0BOSS0003 ", "U0BOSS0002,U0BOSS0002"])
def test_admins_may_have_blanks_around_them(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ADMINS", given)
    assert "U0BOSS0002" in Settings().admin_ids


@pytest.mark.parametrize("word", ["guests", "owner", " ", "U0BOSS0002"])
def test_a_word_that_is_near_to_none_is_told_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    monkeypatch.setenv("WHO_MAY_START", word)
    assert main(["web"]) == 1
    assert "it is team, full_members or anyone" in capsys.readouterr().err


def test_all_wrong_values_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("LOG_LEVEL", "chatty")
    assert main(["web"]) == 1
    said = capsys.readouterr().err
    assert "PORT: " in said
    assert "LOG_LEVEL: " in said


@pytest.mark.parametrize(
    ("changes", "finest"),
    [
        ({}, True),
        ({"image_model": "gpt-image-2"}, False),
        ({"image_model": "gpt-image-2", "image_backend": "images"}, False),
        ({"image_model": "gpt-image-2", "image_backend": "placeholder"}, True),
        ({"image_model": "gpt-image-2.6-sunburst"}, True),
        ({"image_model": "gpt-image-2.6-flare-2026-11-04", "image_backend": "images"}, True),
        ({"image_model": "gpt-image-2.5-sunburst-2026-09-08"}, True),
        ({"image_model": "gpt-image-2.10"}, True),
        ({"image_model": "gpt-image-3"}, True),
        ({"image_model": "gpt-image-2-2026-04-21"}, False),
        ({"image_model": "gpt-image-1.5"}, False),
        ({"image_model": "gpt-image-1-mini"}, False),
        ({"image_model": "chatgpt-image-latest"}, False),
        ({"image_model": "flux", "openai_base_url": "http://localhost:8080/v1"}, True),
    ],
)
def test_the_finest_qualities_are_offered_where_the_model_may_have_them(
    changes: dict[str, str], finest: bool
) -> None:
    table = Settings(**changes).option_table  # type: ignore[arg-type]
    qualities = table["quality"].choices
    assert ("xhigh" in qualities, "max" in qualities) == (finest, finest)
    assert {"auto", "low", "medium", "high"} <= set(qualities)


def test_the_qualities_are_those_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is set, and offered for the models that have it, without another edit."""
    quality = OPTIONS["quality"]
    finer = replace(
        quality,
        choices={**quality.choices, "ultra": "Ultra"},
        newest=quality.newest | {"ultra"},
    )
    specs = tuple(finer if spec is quality else spec for spec in OPTIONS)
    monkeypatch.setattr(OPTIONS, "specs", specs)
    assert Settings(image_quality="ultra").option_table["quality"].offers("ultra")
    assert not Settings(image_model="gpt-image-2").option_table["quality"].offers("ultra")
    assert Settings(image_quality="hd").image_quality == "hd"
    with pytest.raises(ValueError, match="xhigh, max or ultra"):
        Settings(image_quality="finest")


@pytest.mark.parametrize("text", ["none", f"none,{'k' * 32}", f" {'k' * 32} , none "])
def test_the_older_keys_may_say_that_there_was_none(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AUDIT_KEY_FALLBACKS", text)
    keys = Settings().sealing_keys
    assert keys.none_before
    assert keys.old == (("k" * 32,) if "k" in text else ())
