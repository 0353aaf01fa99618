"""The three commands. `export` and `show` write what is stored; `verify` says what is wrong."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping

from bot.adapters.redis import RecordPolicy, RedisRecord
from bot.adapters.redis.record_reader import SideKeys
from bot.adapters.redis.record_schema import NO_SESSION, up_to
from bot.domain.errors import StoreBroken
from bot.domain.seals import RecordCheck, SealingKeys, key_id
from bot.domain.session_ids import SessionId
from bot.ops.audit.rows import COLUMNS, row_of, rows_of
from bot.ops.startup import StartupError, redis_of_command
from bot.settings import Settings
from bot.views.csv_cells import csv_cell

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
        if options.audit_command == "show":
            return await _show(record, *_read_session(options.session))
        verifies = options.audit_command == "verify"
        head = _read_head(options.head, options.team) if verifies else None
        teams = await record.recorded_teams()
        if options.team:
            if options.team not in teams:
                raise StartupError(f"there is no record of {options.team}")
            teams = [options.team]
        if options.audit_command == "export":
            return await _export(record, teams, options.format)
        keys = settings.sealing_keys
        results = [await _try_to_verify(record, team, keys, head) for team in teams]
    if not teams:
        _say("there is no record")
    return max(results, default=0)


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


async def _try_to_verify(
    record: RedisRecord, team: str, keys: SealingKeys, head: tuple[int, str] | None
) -> int:
    """A record that somebody broke so that it cannot be read does not stand."""
    try:
        return await _verify(record, team, keys, head)
    except StoreBroken as error:
        _say(f"{team}: PROBLEM the record cannot be read: {error.__cause__}")
        _say(f"{team}: the record does NOT stand")
        return 1


async def _verify(
    record: RedisRecord, team: str, keys: SealingKeys, head: tuple[int, str] | None
) -> int:
    """Reads once more where entries were trimmed meanwhile."""
    while True:
        floor = await record.floor(team)
        check = RecordCheck(team, keys, head)
        check.begin(floor)
        withheld = await _read_all(record, check)
        if await record.floor(team) == floor:
            break
    for line in _summary(check, withheld, floor.number if floor else 0):
        _say(f"{team}: {line}")
    return 1 if check.problems or check.unchecked else 0


async def _read_all(record: RedisRecord, check: RecordCheck) -> int:
    """Answers how many names and texts are withheld."""
    team, withheld = check.team, 0
    texts: dict[str, dict[str, bool]] = {}
    numbers, sides = await record.last_numbers(team), await record.side_keys(team)
    async for batch in record.batches(team):
        if batch.seal:
            check.batch(batch.seal, batch.entries)
        else:
            check.rest(batch.entries)
        entries = up_to(numbers[0], batch.entries)
        words = await record.words_of(entries, sides)
        for entry in entries:
            row = row_of(team, entry, sides, words, sealed=True)
            check.problems += row.problems
            withheld += row.withheld
            texts.setdefault(str(row.values["session"] or NO_SESSION), {}).update(row.texts)
    check.finish(*numbers)
    check.problems += [p async for p in _exchanged(record, texts, sides)]
    if not any(numbers):
        check.problems.append("the entries and the seals are gone; other keys of it are left")
    return withheld


async def _exchanged(
    record: RedisRecord, texts: Mapping[str, Mapping[str, bool]], sides: SideKeys
) -> AsyncIterator[str]:
    """`texts` are those that the entries of each session name. Where one is withheld, and there is
    another that no entry names, somebody has put that in its place."""
    for token, named in texts.items():
        if not all(named.values()):
            kept = await record.words_of_sessions([token], sides)
            if kept.keys() - named.keys():
                yield f"session {token}: other texts were put in the place of its own"


def _summary(check: RecordCheck, withheld: int, trimmed_to: int) -> Iterator[str]:
    if trimmed_to:
        yield f"the entries up to {trimmed_to} were trimmed, with a signed floor"
    if withheld:
        yield f"withheld: {withheld} names or texts, which were deleted; their entries are there"
    if not check.keys.given:
        yield "AUDIT_KEY is not set: a rewrite of the whole tail would not be found"
    yield from (f"PROBLEM {problem}" for problem in check.problems)
    yield from (f"NOT CHECKED {sentence}" for sentence in check.unchecked)
    if check.unchecked and check.keys.given:
        yield f"the ids of the keys that are given: {', '.join(map(key_id, check.keys.given))}"
    stands = "cannot be checked in full" if check.unchecked else "stands"
    if check.problems:
        stands = "does NOT stand"
    yield f"the record {stands}: {check.sealed} entries sealed, {check.unsealed} not yet"


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
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for team in teams:
        async for row in rows_of(record, team):
            writer.writerow([_cell(value) for value in row.values.values()])
    return 0


def _cell(value: object) -> object:
    """Half a character, as of a text that was cut, cannot be written."""
    text = value.encode(errors="replace").decode() if isinstance(value, str) else value
    return csv_cell(text)


async def _show(record: RedisRecord, team: str, token: str) -> int:
    found = False
    for each in [team] if team else await record.recorded_teams():
        async for row in rows_of(record, each):
            values = row.values
            if values["session"] == token:
                found = True
                facts = " ".join(
                    f"{name}={json.dumps(value) if name in _TEXTS else value}"
                    for name, value in values.items()
                    if value != "" and name not in _LEFT_OUT
                )
                _say(f"{values['number']:>6}  {values['time']}  {values['kind']!s:<16} {facts}")
    if not found:
        _say(f"the record has no entry of {token}")
    return 0 if found else 1


_TEXTS = ("prompt", "change")
_LEFT_OUT = ("workspace", "number", "time", "kind", "session")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
