"""The settings: one frozen model, read from the environment and `.env` in `bot.__main__`."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.images import AI_LABEL, check_label
from bot.domain.limit_settings import LimitKind, micro_dollars, parse_budget
from bot.domain.option_table import OPTIONS, options_of_model
from bot.domain.options import AUTO, OptionTable
from bot.domain.policy import (
    Policy,
    WhoMayStart,
    entries_of,
    parse_who_may_start,
    user_ids_error,
)
from bot.domain.record import PromptRecording
from bot.domain.refusals import ImpossibleValue
from bot.domain.seals import NO_KEY, SealingKeys
from bot.domain.sizes import STEP, check_pixels
from bot.telemetry.logs import LogFormat

SHORTEST_AUDIT_KEY = 32
LONGEST_TTL = 3_660 * 24 * 3600
"""Seconds: ten years. Redis refuses a time without end, and every write with it."""


def _entries(keys: SecretStr) -> tuple[str, ...]:
    text = keys.get_secret_value()
    return tuple(entries_of(text)) if text.strip() else ()


Budget = Annotated[Decimal | None, BeforeValidator(parse_budget)]


class Backend(StrEnum):
    """Who makes the images."""

    RESPONSES = "responses"
    IMAGES = "images"
    PLACEHOLDER = "placeholder"


class Settings(BaseSettings):
    """Every setting, by its name in the environment in upper case. Times are seconds."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
    )

    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = "https://slack.com/api/"
    slack_messages_per_second: float = Field(default=1.0, ge=0.1, le=1000)

    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_background: bool = True

    redis_url: SecretStr = SecretStr("")
    data_dir: Path = Path(".imagine-bot")
    port: int = Field(default=3000, ge=0, le=65535)
    health_port: int | None = Field(default=None, ge=0, le=65535)

    image_backend: Backend = Backend.RESPONSES
    image_model: str = "gpt-image-2.5-flare"
    image_host_model: str = "gpt-5.6-luna"
    image_size: str = "1024x1024"
    image_quality: str = "medium"
    image_timeout: float = Field(default=180.0, gt=0, allow_inf_nan=False)
    partial_images: int = Field(default=0, ge=0, le=3)
    placeholder_delay: float = Field(default=1.5, ge=0, le=600)
    avoid_rejected: bool = True
    ai_label: str = AI_LABEL

    worker_concurrency: int = Field(default=50, ge=1, le=1000)
    user_images_at_once: int = Field(default=4, ge=0, le=1000)
    user_images_waiting: int = Field(default=20, ge=0, le=10_000)
    provider_concurrency: int | None = Field(default=None, ge=1, le=10_000)
    user_images_per_day: int = Field(default=100, ge=0, le=1_000_000)
    user_budget_per_month: Budget = None
    channel_budget_per_month: Budget = None
    workspace_budget_per_month: Budget = None
    timezone: str = "UTC"
    prices_file: Path | None = None
    ledger_ttl: int = Field(default=400 * 24 * 3600, ge=3600, le=LONGEST_TTL)
    job_lease: float = Field(default=15.0, ge=3.0, le=300.0)
    shutdown_grace: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    drain_seconds: float = Field(default=5.0, ge=0, allow_inf_nan=False)
    session_ttl: int = Field(default=7 * 24 * 3600, ge=60, le=LONGEST_TTL)
    image_ttl: int = Field(default=3600, ge=1, le=LONGEST_TTL)
    user_bytes: int = Field(default=64_000_000, ge=0)
    audit_ttl: int = Field(default=400 * 24 * 3600, ge=3600, le=LONGEST_TTL)
    audit_key: SecretStr = SecretStr("")
    audit_key_fallbacks: SecretStr = SecretStr("")
    audit_prompts: PromptRecording = PromptRecording.FULL
    directors: str = "owner"
    who_may_start: WhoMayStart = WhoMayStart.TEAM
    admins: str = ""
    log_level: str = "INFO"
    log_format: LogFormat = LogFormat.AUTO
    log_prompts: bool = False

    @field_validator("slack_api_url")
    @classmethod
    def _end_with_slash(cls, url: str) -> str:
        return url.rstrip("/") + "/"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            return ZoneInfo(name.strip()).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
            raise ValueError("must be a name such as Europe/Berlin or UTC") from None

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        level = level.upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise ValueError("must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
        return level

    @field_validator("directors")
    @classmethod
    def _known_directors(cls, text: str) -> str:
        Policy.parse(text)
        return text

    @field_validator("admins")
    @classmethod
    def _known_admins(cls, text: str) -> str:
        if text.strip() and (wrong := user_ids_error(text)):
            raise ValueError(wrong)
        return text

    @field_validator("who_may_start", mode="before")
    @classmethod
    def _known_people(cls, word: str) -> WhoMayStart:
        return parse_who_may_start(word)

    @field_validator("audit_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < SHORTEST_AUDIT_KEY:
            raise ValueError(
                f"must have at least {SHORTEST_AUDIT_KEY} characters, as `openssl rand -hex 32` "
                "gives"
            )
        return key

    @field_validator("audit_key_fallbacks")
    @classmethod
    def _each_long_enough(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < SHORTEST_AUDIT_KEY for key in _entries(keys) if key != NO_KEY):
            raise ValueError(f"takes keys of {SHORTEST_AUDIT_KEY} characters or more and `none`")
        return keys

    @field_validator("log_format", "audit_prompts", mode="before")
    @classmethod
    def _in_lower_case(cls, name: str) -> str:
        return name.lower()

    @field_validator("image_size")
    @classmethod
    def _known_size(cls, size: str) -> str:
        try:
            return check_pixels(size)
        except ImpossibleValue as impossible:
            nearest = impossible.nearest or "1024x1024"
            raise ValueError(
                f"must be auto or WIDTHxHEIGHT in multiples of {STEP}, such as {nearest}"
            ) from None

    @field_validator("image_quality")
    @classmethod
    def _known_quality(cls, quality: str) -> str:
        spec = OPTIONS["quality"]
        if quality not in {*spec.choices, *spec.settable}:
            *others, last = spec.choices
            raise ValueError(f"must be {', '.join(others)} or {last}")
        return quality

    @field_validator("ai_label")
    @classmethod
    def _visible_label(cls, label: str) -> str:
        return check_label(label)

    @property
    def official_openai(self) -> bool:
        """Whether the provider is OpenAI itself, and not a compatible server."""
        return urlsplit(self.openai_base_url).hostname == "api.openai.com"

    @property
    def option_table(self) -> OptionTable:
        """The options that people may choose. OpenAI's models know the finest qualities from 2.5
        on; another server may know all of them."""
        openai = self.image_backend is not Backend.PLACEHOLDER and self.official_openai
        table = options_of_model(self.image_model) if openai else OPTIONS
        return table.with_defaults(
            size=self.image_size, quality=self.image_quality, background=AUTO, count=1
        )

    @property
    def admin_ids(self) -> frozenset[str]:
        return frozenset(filter(None, entries_of(self.admins)))

    @property
    def sealing_keys(self) -> SealingKeys:
        fallbacks = _entries(self.audit_key_fallbacks)
        return SealingKeys.listed(self.audit_key.get_secret_value(), fallbacks)

    @property
    def host_model(self) -> str:
        """The model that calls the image model; empty where none does."""
        return self.image_host_model if self.image_backend is Backend.RESPONSES else ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def operator_limits(self) -> dict[LimitKind, int]:
        """The limits of the environment, in images and micro-dollars; 0 sets none."""
        return {
            LimitKind.USER_IMAGES_PER_DAY: self.user_images_per_day,
            LimitKind.USER_BUDGET_PER_MONTH: micro_dollars(self.user_budget_per_month),
            LimitKind.CHANNEL_BUDGET_PER_MONTH: micro_dollars(self.channel_budget_per_month),
            LimitKind.WORKSPACE_BUDGET_PER_MONTH: micro_dollars(self.workspace_budget_per_month),
        }

    @property
    def socket_mode(self) -> bool:
        return bool(self.slack_app_token.get_secret_value())
