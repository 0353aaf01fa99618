"""What is shipped beside the code agrees with it: locks, settings, commands, images, checks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from bot.__main__ import _parser
from bot.settings import Settings

ROOT = Path(__file__).parents[2]
LOCKS = {"requirements.txt": False, "requirements-dev.txt": True}
"""Each lock, and whether it holds what developers need too."""
_SETTING = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", re.M)
_IMPORT = re.compile(
    r"^[ \t]*((?:import|from)[ \t](?:.*\([ \t]*(?:\#.*)?\n(?:.*\n)*?[ \t]*\)|.*))", re.M
)
"""A list of names in parentheses ends with the line that closes them."""
_MODULE_RUN = re.compile(r'\["python", "-m", "bot", "(\w+)"\]')


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def project() -> dict[str, Any]:
    metadata: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return metadata


def declared(*, dev: bool) -> list[Requirement]:
    groups = [project()["dependencies"]]
    if dev:
        groups.append(project()["optional-dependencies"]["dev"])
    return [Requirement(text) for group in groups for text in group]


def entries(lock: str) -> list[str]:
    """The entries of a lock, each on one line: name, version, marker, hashes."""
    lines = [line for line in read(lock).splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def pins(lock: str) -> dict[str, str]:
    """Name → version."""
    found: dict[str, str] = {}
    for entry in entries(lock):
        name, version = re.split(r"==|\s", entry)[:2]
        found[canonicalize_name(name)] = version
    return found


def imports(code: str) -> Iterator[ast.stmt]:
    """Each begins a line, as the formatter has it. To parse all of the code takes seconds."""
    for statement in _IMPORT.findall(code):
        with suppress(SyntaxError):  # a line of a text
            yield from ast.parse(statement.strip()).body


def imported_packages(folder: str) -> set[str]:
    """The distributions of every outside module that the code in the folder imports."""
    modules = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in imports(path.read_text("utf-8")):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    known = {"bot", "tests", "__future__", *sys.stdlib_module_names}
    outside = {module for module in modules if module.partition(".")[0] not in known}
    owners = packages_distributions()
    return {canonicalize_name(owner(module, owners)) for module in outside}


def owner(module: str, owners: Mapping[str, list[str]]) -> str:
    """The distribution of a module. Several may share the first part of its name: then it is the
    one with the file, which a name in the module has not."""
    top = module.partition(".")[0]
    sharing = sorted(set(owners.get(top, [top])))
    if len(sharing) == 1:
        return sharing[0]
    path = module.replace(".", "/")
    for name in sharing:
        files = {str(file) for file in distribution(name).files or []}
        if files & {f"{path}.py", f"{path}/__init__.py"}:
            return name
    return owner(module.rpartition(".")[0], owners)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_declared_dependency_at_a_version_that_is_allowed(lock: str) -> None:
    pinned = pins(lock)
    for requirement in declared(dev=LOCKS[lock]):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock}"
        assert requirement.specifier.contains(version), f"{requirement} is {version} in {lock}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_for_everything_and_names_no_place_to_get_it_from(lock: str) -> None:
    assert [entry for entry in entries(lock) if "--hash=sha256:" not in entry] == []
    for place in ("://", "index-url", "find-links", "trusted-host", " @ ", "file:"):
        assert place not in read(lock)


def test_developers_run_the_versions_that_are_deployed() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_dependencies_are_exactly_what_the_code_imports() -> None:
    names = {canonicalize_name(requirement.name) for requirement in declared(dev=False)}
    assert imported_packages("bot") == names


def test_what_the_tests_import_is_declared_too() -> None:
    names = {canonicalize_name(requirement.name) for requirement in declared(dev=True)}
    assert imported_packages("tests") <= names


def test_the_example_has_every_setting_once_and_no_other() -> None:
    names = [name for name, _ in _SETTING.findall(read(".env.example"))]
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_examples_values_are_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uncommented: bool
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    defaults = Settings()
    example = read(".env.example")
    dotenv = _SETTING.sub(r"\1=\2", example) if uncommented else example
    Path(".env").write_text(dotenv, "utf-8")
    assert Settings() == defaults


def test_the_readme_has_every_setting_with_its_default() -> None:
    table = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`|–) \|", read("README.md"), re.M)
    assert dict(table) == dict(_SETTING.findall(read(".env.example")))


def test_procfile_and_compose_run_web_and_worker() -> None:
    procfile = dict(re.findall(r"^(\w+): python -m bot (\w+)$", read("Procfile"), re.M))
    assert procfile == {"web": "web", "worker": "worker"}
    assert _MODULE_RUN.findall(read("docker-compose.yml")) == ["web", "worker"]


@pytest.mark.parametrize("name", ["Procfile", "Dockerfile", "docker-compose.yml"])
def test_every_command_that_is_run_exists(name: str) -> None:
    commands = re.findall(r'-m"?,? "?bot"?,? "?(\w+)', read(name))
    assert commands
    for command in commands:
        assert _parser().parse_args([command]).command == command


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_composes_health_check_asks_healthz_and_no_proxy(status: int, healthy: bool) -> None:
    compose = read("docker-compose.yml")
    test = re.search(r'test: (\["CMD", "python".*\])', compose)
    port = re.search(r'HEALTH_PORT: "(\d+)"', compose)
    assert test is not None
    assert port is not None
    _, _, *arguments = json.loads(test[1])
    address = f"127.0.0.1:{port[1]}/healthz"
    assert address in arguments[-1]
    with error_boundary(status) as here:
        arguments[-1] = arguments[-1].replace(address, f"{here}/healthz")
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "http_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            timeout=30,
        )
    assert (done.returncode == 0) is healthy


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_images_health_check_asks_the_port_that_it_sets(status: int, healthy: bool) -> None:
    dockerfile = read("Dockerfile")
    check = re.search(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])", dockerfile)
    assert check is not None
    assert re.search(r"HEALTH_PORT=\d+$", dockerfile, re.M)
    _, *arguments = json.loads(check[1])
    with error_boundary(status) as here:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "HEALTH_PORT": here.rpartition(":")[2]},
            capture_output=True,
            timeout=30,
        )
    assert (done.returncode == 0) is healthy


@contextmanager
def error_boundary(status: int) -> Iterator[str]:
    """A server that answers `/healthz` with this status, and where it is."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_image_has_a_python_that_is_allowed_and_runs_as_nobody_special() -> None:
    dockerfile = read("Dockerfile")
    base = re.search(
        r"^FROM python:(\d+\.\d+\.\d+)-slim-trixie@sha256:[0-9a-f]{64}$", dockerfile, re.M
    )
    assert base is not None
    assert SpecifierSet(project()["requires-python"]).contains(base[1])
    assert re.search(r"^USER (?!0|root)\d+:\d+$", dockerfile, re.M)
    assert "--require-hashes" in dockerfile


def test_the_image_is_made_of_what_dockerignore_lets_through() -> None:
    copied = re.findall(r"^COPY (\S+)", read("Dockerfile"), re.M)
    allowed = re.findall(r"^!(\S+)$", read(".dockerignore"), re.M)
    assert sorted(copied) == sorted(allowed)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.M)
    assert versions[0] == project()["version"]


def test_the_checks_end_with_the_readmes_test_command() -> None:
    command = re.search(r"^(pip install -r (\S+)) && (\S+)$", read("README.md"), re.M)
    assert command is not None
    _, lock, run = command.groups()
    steps = re.findall(r"^step (.+)$", read(".ci/run"), re.M)
    assert next(step for step in steps if step.startswith("pip install")).endswith(f"-r {lock}")
    assert steps[-1] == run
    assert os.access(ROOT / ".ci/run", os.X_OK)
