"""Dashboard, alerts and their documents name what the program has, and all of it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import Histogram, MetricWrapperBase
from ruamel.yaml import YAML

from bot.domain.failures import FailureKind
from bot.domain.jobs import JobKind
from bot.domain.stages import Stage
from bot.ops.spending import AGES
from bot.telemetry import metrics

DOCS = Path(__file__).parents[2] / "docs"
HERE = DOCS / "monitoring"
DASHBOARD: dict[str, Any] = json.loads((HERE / "grafana-dashboard.json").read_text())
YML = YAML(typ="safe")
GROUPS = YML.load((HERE / "alerts.yml").read_text())["groups"]
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in GROUPS for rule in group["rules"]
}

WRAPPERS = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
SCRAPED = {"job", "instance"}
"""The labels that Prometheus itself adds."""
OTHERS = {
    "up": SCRAPED,
    "process_resident_memory_bytes": SCRAPED,
    "process_cpu_seconds_total": SCRAPED,
    "process_open_fds": SCRAPED,
    "process_start_time_seconds": SCRAPED,
}
VALUES: dict[tuple[str, str], set[str]] = {
    ("imagine_requests_total", "kind"): set(metrics.REQUEST_KINDS),
    ("imagine_requests_total", "outcome"): set(metrics.REQUEST_OUTCOMES),
    ("imagine_jobs_total", "kind"): {kind.value for kind in JobKind},
    ("imagine_jobs_total", "outcome"): set(metrics.JOB_OUTCOMES),
    ("imagine_generation_seconds", "outcome"): {"ok", "failed"},
    ("imagine_provider_errors_total", "kind"): {kind.value for kind in FailureKind},
    ("imagine_store_errors_total", "kind"): set(metrics.STORE_ERROR_KINDS),
    ("imagine_store_refuses_writes", "why"): {"full", "read_only"},
    ("imagine_redis_memory_bytes", "kind"): {"used", "max"},
    ("imagine_stage_changes_total", "stage"): {stage.value for stage in Stage},
    ("imagine_queue_jobs", "queue"): {"generate", "publish"},
    ("imagine_queue_jobs", "state"): {"waiting", "delayed", "active", "failed"},
    ("imagine_queue_oldest_seconds", "queue"): {"generate", "publish"},
    ("imagine_holds", "age"): set(AGES),
    ("imagine_limit_refusals_total", "limit"): set(metrics.LIMITS),
    ("imagine_sessions", "stage"): {stage.value for stage in Stage},
}
"""What a label can be, where that is fixed."""

_SELECTOR = re.compile(r"\b(imagine_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


@cache
def tried() -> list[dict[str, Any]]:
    """The rules' tests."""
    tests: list[dict[str, Any]] = YML.load((HERE / "alerts_test.yml").read_text())["tests"]
    return tests


def name_of(wrapper: MetricWrapperBase) -> str:
    """As Prometheus shows it: with `_total` for a counter, plain for a histogram."""
    return f"{wrapper._name}_total" if wrapper._type == "counter" else str(wrapper._name)


def series() -> dict[str, set[str]]:
    """Every series that the program tells → its labels."""
    told: dict[str, set[str]] = dict(OTHERS)
    for wrapper in WRAPPERS:
        labels, name = {*wrapper._labelnames, *SCRAPED}, name_of(wrapper)
        if isinstance(wrapper, Histogram):
            told |= {f"{name}_count": labels, f"{name}_sum": labels}
            told[f"{name}_bucket"] = labels | {"le"}
        else:
            told[name] = labels
    return told


SERIES = series()
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SHOWN = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = [(title, target["expr"]) for title, target in SHOWN] + [
    (name, rule["expr"]) for name, rule in ALERTS.items()
]


def named(text: str) -> set[str]:
    return {name for name, _ in _SELECTOR.findall(text)}


def plain(name: str) -> str:
    """A histogram's name, without what is told of it."""
    short = re.sub(r"_(bucket|count|sum)$", "", name)
    return short if f"{short}_bucket" in SERIES else name


def grouped_by(expression: str) -> set[str]:
    return {label.strip() for each in _BY.findall(expression) for label in each.split(",")} - {""}


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_series_and_label_is_one_that_the_program_tells(where: str, expression: str) -> None:
    assert named(expression), f"{where} reads nothing of ours"
    labels: set[str] = set()
    for name, matchers in _SELECTOR.findall(expression):
        assert name in SERIES, where
        labels |= SERIES[name]
        for label, _, _ in _MATCHER.findall(matchers):
            assert label in SERIES[name], f"{where}: {name} has no {label}"
    assert grouped_by(expression) <= labels, where


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_what_is_asked_of_a_label_can_be(where: str, expression: str) -> None:
    """A misspelt value would match nothing, or everything, and no tool would say so."""
    for name, matchers in _SELECTOR.findall(expression):
        for label, operator, value in _MATCHER.findall(matchers):
            possible = VALUES.get((plain(name), label))
            wanted = value.split("|") if operator in {"=~", "!~"} else [value]
            if possible is not None:
                assert set(wanted) <= possible, f"{where}: {name}"
            if label == "le":
                (histogram,) = (w for w in WRAPPERS if w._name == plain(name))
                assert isinstance(histogram, Histogram)
                assert {float(each) for each in wanted} <= set(histogram._upper_bounds), where


def test_every_metric_of_the_program_is_on_the_dashboard() -> None:
    shown = {plain(name) for _, target in SHOWN for name in named(target["expr"])}
    assert {name_of(wrapper) for wrapper in WRAPPERS} <= shown


def test_every_metric_is_documented_with_its_labels() -> None:
    rows = re.findall(r"^\| `(imagine_\w+)` \| (.*?) \|", (HERE / "README.md").read_text(), re.M)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == {name_of(each): set(each._labelnames) for each in WRAPPERS}


@pytest.mark.parametrize(("title", "target"), SHOWN)
def test_a_legend_names_labels_that_are_left(title: str, target: dict[str, Any]) -> None:
    named_labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    left = grouped_by(target["expr"]) - {"le"}
    assert named_labels <= (left or SCRAPED), title
    assert target["legendFormat"]


def test_the_dashboard_can_be_imported_anywhere() -> None:
    """Its data source is chosen on it, and nothing on it belongs to one Grafana."""
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(panel["targets"])))
        assert used <= {*variables, "__rate_interval", "__range"}
    assert "id" not in DASHBOARD
    assert {"title", "uid", "schemaVersion", "panels", "time"} <= DASHBOARD.keys()


def test_the_panels_have_ids_of_their_own_and_stand_side_by_side() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        covers = set(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
        )
        assert not cells & covers, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells |= covers
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"\d+m", rule["for"])
    told = rule["annotations"]
    assert told["summary"]
    assert told["description"].rstrip().endswith(".")
    assert told["runbook"] == f"docs/operations.md#{name.lower()}"
    labels = set(re.findall(r"\$labels\.(\w+)", " ".join(told.values())))
    assert labels <= (grouped_by(rule["expr"]) or SCRAPED)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_runbook(name: str) -> None:
    headings = re.findall(r"^### (\w+)\s*$", (DOCS / "operations.md").read_text(), re.M)
    assert headings.count(name) == 1


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tried_on_bad_and_on_good_series(name: str) -> None:
    tries = [
        each for test in tried() for each in test["alert_rule_test"] if each["alertname"] == name
    ]
    assert any(each.get("exp_alerts") for each in tries)
    assert any(not each.get("exp_alerts") for each in tries)


def test_the_series_that_alerts_are_tried_on_are_ones_that_the_program_tells() -> None:
    for test in tried():
        for each in test["input_series"]:
            ((name, matchers),) = _SELECTOR.findall(each["series"])
            given = {label for label, _, _ in _MATCHER.findall(matchers)}
            assert given <= SERIES[name], each["series"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed")
@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_prometheus_takes_the_rules_and_they_do_what_they_should(
    arguments: tuple[str, ...],
) -> None:
    ran = subprocess.run(
        ["promtool", *arguments], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed")
def test_prometheus_takes_the_dashboards_expressions(tmp_path: Path) -> None:
    variables = {"$__rate_interval": "5m", "$__range": "6h", "$job": ".+"}
    rules = []
    for number, (_, target) in enumerate(SHOWN):
        expression = target["expr"]
        for variable, value in variables.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"panel_{number}", "expr": expression})
    rules_file = tmp_path / "rules.yml"
    rules_file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    ran = subprocess.run(
        ["promtool", "check", "rules", str(rules_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
