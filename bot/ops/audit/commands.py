"""The three commands. `export` and `show` write what is stored; `verify` says what is wrong."""

from __future__ import annotations

import argparse
import json
import sys

from bot.adapters.redis import RecordPolicy, RedisBooks, RedisRecord
from bot.domain.errors import StoreBroken
from bot.domain.session_ids import SessionId
from bot.ops.audit.output import printable, say
from bot.ops.audit.rows import COLUMNS, rows_of
from bot.ops.audit.verify import Verification, chosen_teams
from bot.ops.startup import StartupError, redis_of_command
from bot.settings import Settings
from bot.views.csv_cells import csv_line

DAY = 86_400
"""Seconds after which a call of a session that is gone is certainly settled."""
PATIENCE = 10.0
"""Seconds for each call to Redis."""


def add_audit_options(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="audit_command", required=True)
    export = commands.add_parser("export", help="write the record to standard output")
    export.add_argument("--format", choices=("csv", "json"), default="csv")
    verify = commands.add_parser("verify", help="say whether the record stands; exit code 1 if not")
    verify.add_argument(
        "--head", metavar="NUMBER:SEAL", help="a head that was logged earlier; needs --team"
    )
    for command in (export, verify):
        command.add_argument("--team", help="the id of one workspace (usually all of them)")
    show = commands.add_parser("show", help="write the entries of one session")
    show.add_argument(
        "session", metavar="SESSION", help="its id, team.user.token as in the logs, or the token"
    )


async def audit(options: argparse.Namespace, settings: Settings) -> int:
    async with redis_of_command(settings, PATIENCE) as redis:
        record = RedisRecord(redis, PATIENCE, RecordPolicy())
        books = RedisBooks(redis, ledger_ttl=settings.ledger_ttl, patience=PATIENCE)
        try:
            return await _run(options, settings, record, books)
        except StoreBroken as error:
            words = printable(f"what is stored cannot be read: {error}")
            raise StartupError(words) from None


async def _run(
    options: argparse.Namespace, settings: Settings, record: RedisRecord, books: RedisBooks
) -> int:
    if options.audit_command == "show":
        return await _show(record, *_read_session(options.session))
    if options.audit_command == "export":
        teams = chosen_teams(await record.recorded_teams(), options.team)
        return await _export(record, teams, options.format)
    head = _read_head(options.head, options.team)
    verification = Verification(
        record, books, settings.sealing_keys, settings.audit_ttl, settings.session_ttl + DAY, head
    )
    return await verification.of_teams(options.team)


def _read_session(text: str) -> tuple[str, str]:
    """The workspace, empty where only the token was given, and the token."""
    text = text.strip()
    if text and "." not in text:
        return "", text
    session = SessionId.parse(text)
    if not session.is_complete:
        raise StartupError("SESSION is team.user.token as in the logs, or the token alone")
    return session.team, session.token


def _read_head(text: str | None, team: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, seal = text.strip().partition(":")
    if not (number.isdecimal() and seal and team):
        raise StartupError("--head is NUMBER:SEAL as the log has it, and needs --team")
    return int(number), seal


async def _export(record: RedisRecord, teams: list[str], form: str) -> int:
    out = sys.stdout
    if form == "json":
        separator = "["
        for team in teams:
            async for row in rows_of(record, team):
                told = {name: value for name, value in row.values.items() if value != ""}
                out.write(f"{separator}\n{json.dumps(told)}")
                separator = ","
        out.write("[]\n" if separator == "[" else "\n]\n")
        return 0
    out.write(csv_line(COLUMNS))
    for team in teams:
        async for row in rows_of(record, team):
            out.write(csv_line(map(_whole, row.values.values())))
    return 0


def _whole(value: object) -> object:
    """Half a character, as of a text that was cut, cannot be written."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


async def _show(record: RedisRecord, team: str, token: str) -> int:
    found = False
    for each in [team] if team else await record.recorded_teams():
        async for row in rows_of(record, each):
            values = row.values
            if values["session"] == token:
                found = True
                typed = {*_TEXTS}.difference(row.withheld)
                facts = " ".join(
                    f"{name}={json.dumps(value) if name in typed else value}"
                    for name, value in values.items()
                    if value != "" and name not in _LEFT_OUT
                )
                say(f"{values['number']:>6}  {values['time']}  {values['kind']!s:<16} {facts}")
    if not found:
        say(f"the record has no entry of {token}")
    return 0 if found else 1


_TEXTS = ("prompt", "change")
_LEFT_OUT = ("workspace", "number", "time", "kind", "session", "withheld")
