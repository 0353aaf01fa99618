"""docs/operations.md agrees with what it is about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.domain.session import SCHEMA
from bot.settings import Settings
from bot.telemetry import metrics

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALERTS = (ROOT / "docs" / "monitoring" / "alerts.yml").read_text("utf-8")


def test_every_alert_has_its_section_and_every_runbook_leads_there() -> None:
    section = MANUAL.split("\n## Alerts\n")[1].split("\n## ")[0]
    headings = re.findall(r"^### (\w+)$", section, re.M)
    alerts = re.findall(r"^ +- alert: (\w+)$", ALERTS, re.M)
    assert headings == alerts
    runbooks = re.findall(r"runbook: (\S+)$", ALERTS, re.M)
    assert runbooks == [f"docs/operations.md#{name.lower()}" for name in alerts]


def test_its_links_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", MANUAL, re.M)
    }
    for link in re.findall(r"\]\(([^)]+)\)", MANUAL):
        path, _, anchor = link.partition("#")
        assert not path or (ROOT / "docs" / path).exists(), link
        assert path or anchor in anchors, link


def test_the_metrics_that_it_names_exist() -> None:
    known = {family.name for family in metrics.REGISTRY.collect()}
    for name in set(re.findall(r"\b(imagine_[a-z_]+[a-z])\b", MANUAL)):
        assert name.removesuffix("_total") in known, name


def test_the_settings_that_it_names_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    section = MANUAL.split("### Settings that matter in production")[1].split("\n## ")[0]
    named = {name for line in section.splitlines() for name in re.findall(r"`([A-Z_]+)`", line)}
    assert named
    assert named <= known


def test_the_schema_is_todays() -> None:
    said = re.search(r"Sessions carry a schema number, at present (\d+)", MANUAL)
    assert said is not None
    assert int(said[1]) == SCHEMA


@pytest.mark.parametrize("name", ["SHUTDOWN_GRACE", "DRAIN_SECONDS"])
def test_compose_waits_as_long_as_the_manual_says(name: str) -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    given = re.search(r"^  stop_grace_period: (\d+)s$", compose, re.M)
    margin = re.search(rf"`{name}` \+ (\d+) s for a \w+", MANUAL)
    assert given is not None
    assert margin is not None
    default = Settings.model_fields[name.lower()].default
    assert int(given[1]) >= default + int(margin[1])
