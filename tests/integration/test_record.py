"""The record on a real server: written with sessions, sealed, trimmed, spoilt, and read by the
commands."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.adapters.redis import RecordPolicy, RedisRecord, RedisSessionStore
from bot.adapters.redis.record_reader import SideKeys
from bot.adapters.redis.record_schema import (
    SEALER,
    floor_key,
    person_key,
    record_key,
    seals_key,
    words_key,
)
from bot.adapters.redis.schema import WORKSPACES
from bot.concurrency import cancel_and_wait
from bot.domain import begin, transitions
from bot.domain.errors import Conflict, StoreUnavailable
from bot.domain.record import PromptRecording, refused, settings_changed
from bot.domain.refusals import Reason, Refusal
from bot.domain.seals import Seal, SealingKeys, floor_at, key_id, seal_entries
from bot.domain.session import Session
from bot.jobs.sealer import HEAD_EVERY, RecordSealer
from bot.ops.startup import StartupError
from bot.ports import ExtraWrite, Limit
from tests.fakes import ID, IMAGE, OWNER, PROMPT, STRANGER, a_session
from tests.integration.record_bench import (
    DAY,
    FIRST,
    FLOOR,
    KEY,
    KEYS,
    NEW,
    NEW_KEY,
    RECORD,
    SEALS,
    TTL,
    Bench,
    a_bench,
    aged,
    rewrite,
    sealed,
)
from tests.support.lost_answers import lose_first_answer
from tests.support.processes import free_port


@pytest.fixture
def bench(redis: Any, redis_url: str, capsys: pytest.CaptureFixture[str]) -> Bench:
    return a_bench(redis, redis_url, capsys)


def kinds(entries: list[tuple[str, dict[str, str]]]) -> list[str]:
    return [json.loads(fields["body"])["kind"] for _, fields in entries]


async def test_a_session_writes_its_entries_in_its_commits_numbered_without_gaps(
    bench: Bench,
) -> None:
    await asyncio.gather(*(bench.published(f"s{n}") for n in range(8)))
    entries = await bench.entries()
    assert [number for number, _ in entries] == [f"{n}-0" for n in range(1, 41)]
    of_one = [e for e in entries if json.loads(e[1]["body"])["session"] == "s3"]
    assert kinds(of_one) == ["asked", "generated", "shown", "approved", "published"]
    people = {fields["person"] for _, fields in entries}
    assert len(people) == 3  # two, and nobody
    whole = json.dumps(entries)
    assert PROMPT not in whole
    assert f'"{OWNER}"' not in whole


async def test_of_many_who_race_one_writes_its_entry(bench: Bench) -> None:
    await bench.store.create(replace(a_session(), version=0))
    before = len(await bench.entries())
    people = [f"U{n}" for n in range(10, 30)]

    async def approve(user: str) -> Session:
        return await bench.store.update(ID, lambda s: transitions.approve(s, FIRST, user, 5.0))

    results = await asyncio.gather(*map(approve, people), return_exceptions=True)
    assert {type(r) for r in results} <= {Session, Refusal, Conflict}
    (entry,) = (await bench.entries())[before:]
    session = await bench.store.load(ID)
    kept = await bench.redis.get(person_key("T1", session.approved_by))
    assert kept.split(" ")[1] == entry[1]["person"]
    assert [p for p in people if await bench.redis.exists(person_key("T1", p))] == [
        session.approved_by
    ]


@pytest.mark.parametrize("key", [record_key("T1"), person_key("T1", OWNER), words_key(ID)])
@pytest.mark.parametrize("kind", ["zset", "ids of another program"])
async def test_a_session_is_not_written_where_its_entry_cannot_be(
    bench: Bench, key: str, kind: str
) -> None:
    if kind == "zset":
        await bench.redis.zadd(key, {"a": 1})
    else:
        await bench.redis.xadd(key, {"a": "b"}, id="18446744073709551615-5")
    with pytest.raises(StoreUnavailable):
        await bench.store.create(begin.submit(NEW, PROMPT, 1.0))
    assert [each async for each in bench.redis.scan_iter("imagine:{*")] == [key]


async def test_a_refusal_by_a_limit_is_told_with_its_words_and_stores_no_session(
    bench: Bench,
) -> None:
    def one_too_many(session: Session) -> list[ExtraWrite]:
        return [ExtraWrite("INCRBY", "n", ("1",), Limit(0, Refusal(Reason.NOT_CHECKED)))]

    with pytest.raises(Refusal):
        await bench.store.create(begin.submit(NEW, PROMPT, 1.0), one_too_many)
    assert kinds(await bench.entries()) == ["refused"]
    _, out = await bench.run("show", ID)
    assert "reason=not_checked" in out
    assert PROMPT in out
    with pytest.raises(Refusal):
        await bench.store.load(ID)


@pytest.mark.parametrize("prompts", PromptRecording)
async def test_a_lost_answer_records_a_refusal_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, prompts: PromptRecording
) -> None:
    """The client asks again by itself where the connection broke before the answer."""
    record = RedisRecord(bench.redis, 5.0, RecordPolicy(TTL, prompts))
    session = begin.submit(replace(NEW, id=f"T1.{OWNER}.one"), PROMPT, 1.0)
    refusal = refused(session, session.latest, Refusal(Reason.NOT_CHECKED))
    await record.append("T1", refusal)
    lost = lose_first_answer(monkeypatch, "EVALSHA")
    await asyncio.sleep(0.002)  # an entry tells milliseconds
    await record.append("T1", refusal)
    assert len(lost) == 1
    assert kinds(await bench.entries()) == ["refused", "refused"]


async def test_what_happens_without_a_session_is_appended(bench: Bench) -> None:
    budget = settings_changed(OWNER, "budget", None, 12.5, "C1")
    hers = settings_changed(OWNER, "images", 1, None, about=STRANGER)
    await bench.record.append("T7", budget, hers)
    await bench.sealer.seal_all()
    _, out = await bench.run("export", "--format", "json")
    first, second = json.loads(out)
    assert (first["workspace"], first["person"], first["sealed"]) == ("T7", OWNER, True)
    assert json.loads(first["other"]) == {"after": 12.5, "setting": "budget"}
    assert json.loads(second["other"]) == {"before": 1, "about": STRANGER, "setting": "images"}
    assert STRANGER not in json.dumps(await bench.entries("T7"))
    assert 0 < await bench.redis.ttl(WORKSPACES) <= TTL


async def test_a_short_record_leaves_the_list_of_workspaces_as_long_as_sessions_need_it(
    bench: Bench,
) -> None:
    await bench.published()
    await bench.redis.expire(WORKSPACES, 600)
    short = RedisRecord(bench.redis, 5.0, RecordPolicy(60))
    await short.append("T1", settings_changed(OWNER, "budget", 1, 2))
    assert await bench.redis.ttl(WORKSPACES) > 60


async def test_prompts_are_kept_only_where_the_setting_says_so(bench: Bench) -> None:
    policy = RecordPolicy(TTL, PromptRecording.NONE)
    store = RedisSessionStore(
        bench.redis, session_ttl=600, image_ttl=60, patience=5.0, record=policy
    )
    await store.create(begin.submit(NEW, PROMPT, 1.0))
    assert not await bench.redis.exists(words_key(ID))
    ((_, fields),) = await bench.entries()
    assert "words" not in json.loads(fields["body"])


async def test_a_large_record_is_read_in_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in ("one", "two", "three"):
        await bench.published(token)
    await bench.sealer.seal_all()
    for token in ("four", "five"):
        await bench.published(token)
    whole = await bench.run("verify"), await bench.run("export")
    assert (whole[0][0], "15 entries sealed, 10 not yet" in whole[0][1]) == (0, True)
    monkeypatch.setattr("bot.adapters.redis.record_reader._AT_ONCE", 2)
    assert (await bench.run("verify"), await bench.run("export")) == whole
    unsealed = [b async for b in bench.record.batches("T1") if not b.seal]
    assert [len(batch.entries) for batch in unsealed] == [2] * 5
    sides = await bench.record.side_keys("T1")
    texts = [text for _, text in (await bench.record.words_of(unsealed[0].entries, sides)).values()]
    assert texts == [PROMPT]  # of one session, not of all


async def test_the_record_stands_and_says_what_is_not_sealed(bench: Bench) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("other")
    code, out = await bench.run("verify")
    assert (code, out) == (0, "T1: the record stands: 5 entries sealed, 5 not yet\n")


async def test_no_record_is_nothing_that_stands(bench: Bench) -> None:
    assert await bench.run("verify") == (1, "NOT CHECKED there is no record\n")
    assert await bench.run("export", "--format", "json") == (0, "[]\n")
    assert (await bench.run("show", ID))[0] == 1


async def test_a_changed_entry_is_found(bench: Bench) -> None:
    await sealed(bench)
    body = json.loads((await bench.entries())[8][1]["body"]) | {"attempt": 2}
    await rewrite(bench, 9, json.dumps(body))
    code, out = await bench.run("verify")
    assert code == 1
    assert out.splitlines()[0] == "T1: PROBLEM entries 6–10: not what was sealed"
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "[" * 50_000,
        '{"at":1e999,"kind":{"a":1},"words":7}',
        '{"session":{"a":1},"words":{"prompt":{}}}',
    ],
)
async def test_a_broken_entry_is_found_and_breaks_no_command(bench: Bench, body: str) -> None:
    await sealed(bench)
    await rewrite(bench, 9, body)
    code, out = await bench.run("verify")
    assert (code, "entries 6–10: not what was sealed" in out) == (1, True)
    for command in (["export"], ["export", "--format", "json"], ["show", f"T1.{OWNER}.two"]):
        assert (await bench.run(*command))[0] == 0


@pytest.mark.parametrize(
    ("commands", "problem"),
    [
        (
            [("XADD", RECORD, "15-1", "body", "{}"), ("XADD", RECORD, "16-0", "body", "{}")],
            "entry 16: not what was sealed",
        ),
        ([("XADD", RECORD, "16-0", "body", b"\xff")], f"{RECORD} is no text"),
        ([("XADD", SEALS, "16-0", "mac", b"\xff")], f"{SEALS} is no text"),
        ([("DEL", RECORD), ("SET", RECORD, "x")], f"{RECORD} is of another type"),
        ([("DEL", SEALS), ("SET", SEALS, "x")], f"{SEALS} is of another type"),
        ([("HSET", FLOOR, "a", "b")], f"{FLOOR} is of another type"),
        ([("SET", FLOOR, "garbage")], "the floor at 0 is not the program's"),
        ([("SET", FLOOR, "[]")], "the floor at 0 is not the program's"),
        ([("SET", FLOOR, '["a",1,{},2]')], "the floor at 0 is not the program's"),
        ([("SET", FLOOR, "[1e999,1,true,2]")], "the floor at 0 is not the program's"),
        ([("SET", FLOOR, "[" * 50_000)], "the floor at 0 is not the program's"),
        ([("DEL", RECORD, SEALS)], "the entries and the seals are gone"),
        ([("DEL", RECORD, SEALS), ("SET", FLOOR, "[5,1,true,2]")], "seals are gone"),
    ],
)
async def test_what_somebody_broke_is_told_and_keeps_no_other_record_from_being_sealed(
    bench: Bench, commands: list[tuple[str, ...]], problem: str
) -> None:
    await sealed(bench)
    for command in commands:
        await bench.redis.execute_command(*command)
    await bench.record.append("T2", settings_changed(OWNER, "budget", 1, 2))
    bench.time.now = time.time() + 2 * HEAD_EVERY
    await bench.sealer.seal_all()
    code, out = await bench.run("verify")
    assert (code, problem in out, "T1: the record does NOT stand" in out) == (1, True, True), out
    assert "T2: the record stands: 1 entries sealed" in out


async def test_a_broken_record_counts_as_unsealed_since_it_was_seen_and_hides_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealed(bench)
    await bench.redis.rename(RECORD, "imagine:away")
    await bench.redis.set(RECORD, "of another type")
    monkeypatch.setattr("time.time", lambda: 5_000.0)
    assert await bench.record.unsealed_since() == 5_000.0
    monkeypatch.setattr("time.time", lambda: 6_000.0)
    assert await bench.record.unsealed_since() == 5_000.0
    monkeypatch.setattr("time.time", lambda: 4_000.0)
    await bench.record.append("T2", settings_changed(OWNER, "budget", 1, 2))
    assert await bench.record.unsealed_since() == 4_000.0
    await bench.redis.rename("imagine:away", RECORD)
    await bench.redis.delete(record_key("T2"))
    assert await bench.record.unsealed_since() == 0.0


async def test_removed_entries_and_a_cut_tail_are_found(bench: Bench) -> None:
    await sealed(bench)
    await bench.redis.xdel(record_key("T1"), "7-0")
    code, out = await bench.run("verify")
    assert (code, "entry 7: missing" in out) == (1, True)
    for number in range(11, 16):
        await bench.redis.xdel(record_key("T1"), f"{number}-0")
    await bench.redis.xdel(seals_key("T1"), "15-0")
    _, out = await bench.run("verify")
    assert "entries 11–15: missing" in out
    assert "the last seal is gone: there was one of 15" in out


async def test_numbers_go_on_after_a_cut_and_the_gap_stays_to_be_found(bench: Bench) -> None:
    await sealed(bench)
    for number in range(14, 16):
        await bench.redis.xdel(record_key("T1"), f"{number}-0")
    await bench.published("four")
    assert (await bench.entries())[13][0] == "16-0"
    await bench.sealer.seal_all()
    code, out = await bench.run("verify")
    assert (code, "entries 14–15: missing" in out) == (1, True)


async def test_a_rewritten_record_is_found_with_a_key_and_said_not_to_be_without(
    bench: Bench,
) -> None:
    await sealed(bench)
    body = (await bench.entries())[3][1]["body"]
    await rewrite(bench, 9, body)
    await bench.redis.delete(seals_key("T1"))
    await RecordSealer(bench.record, SealingKeys(), TTL).seal_all()
    await bench.redis.delete(SEALER)
    await RecordSealer(bench.record, SealingKeys(), TTL).seal_all()
    code, out = await bench.run("verify")
    assert (code, "no seal was made with AUDIT_KEY" in out) == (1, True)
    code, out = await bench.run("verify", key="")
    assert code == 0
    assert "a rewrite of the whole tail would not be found" in out


async def test_a_record_that_the_program_sealed_anew_is_found_by_its_logged_head(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await bench.published()
    await bench.sealer.seal_all()
    head = caplog.text.split("the head of the record of T1: ")[1].split()[0]
    assert (await bench.run("verify", "--team", "T1", "--head", head))[0] == 0
    await rewrite(bench, 3, "{}")
    await bench.redis.delete(seals_key("T1"))
    await bench.sealer.seal_all()
    assert f"seals of the record of T1 are gone: its head was {head}" in caplog.text
    assert (await bench.run("verify"))[0] == 0
    code, out = await bench.run("verify", "--team", "T1", "--head", head)
    assert code == 1
    assert "the logged head 5 is not in the record" in out


async def test_deleted_names_and_words_are_withheld_and_the_chain_stands(bench: Bench) -> None:
    await sealed(bench)
    await bench.redis.delete(person_key("T1", OWNER), words_key(f"T1.{OWNER}.two"))
    code, out = await bench.run("verify")
    assert code == 0
    assert "withheld: 4 names or texts" in out  # three askers and one prompt
    _, out = await bench.run("show", f"T1.{OWNER}.two")
    assert "person=withheld" in out
    assert "prompt=withheld" in out
    assert f"person={STRANGER}" in out


async def test_who_types_the_word_withheld_has_typed_it(bench: Bench) -> None:
    await bench.published("one", prompt="withheld")
    await bench.published("two")
    await bench.record.append("T1", settings_changed(OWNER, "budget", 1, 2, about=STRANGER))
    await bench.sealer.seal_all()
    code, out = await bench.run("verify")
    assert (code, out) == (0, "T1: the record stands: 11 entries sealed, 0 not yet\n")
    gone = (words_key(f"T1.{OWNER}.two"), words_key(f"T1.{STRANGER}.others"))
    await bench.redis.delete(*gone, person_key("T1", OWNER))
    assert "withheld: 5 names or texts" in (await bench.run("verify"))[1]
    _, out = await bench.run("show", "one")
    assert 'prompt="withheld"' in out
    _, out = await bench.run("export", "--format", "json")
    told = {row["number"]: row.get("withheld") for row in json.loads(out)}
    assert told == dict.fromkeys(range(1, 12)) | {
        1: "person",
        6: "prompt person",
        11: "about person",
    }
    _, out = await bench.run("export")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["withheld"] for row in rows if row["kind"] == "asked"] == [
        "person",
        "prompt person",
    ]


async def test_what_is_written_meanwhile_is_not_called_deleted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealed(bench)
    side_keys = RedisRecord.side_keys

    async def side_keys_before_another_session(record: RedisRecord, team: str) -> SideKeys:
        sides = await side_keys(record, team)
        await bench.published(f"late{len(await bench.entries())}")
        return sides

    monkeypatch.setattr(RedisRecord, "side_keys", side_keys_before_another_session)
    code, out = await bench.run("verify")
    assert (code, out) == (0, "T1: the record stands: 15 entries sealed, 5 not yet\n")
    _, out = await bench.run("export", "--format", "json")
    assert [row["number"] for row in json.loads(out)] == list(range(1, 21))
    assert "withheld" not in out


async def test_a_swapped_name_or_text_is_found(bench: Bench) -> None:
    await sealed(bench)
    await bench.redis.rename(person_key("T1", OWNER), person_key("T1", "U9"))
    key = words_key(f"T1.{OWNER}.one")
    ((commitment, stored),) = (await bench.redis.hgetall(key)).items()
    salt, _ = json.loads(stored)
    await bench.redis.hset(key, commitment, json.dumps([salt, "something else"]))
    code, out = await bench.run("verify")
    assert code == 1
    assert "entry 1: the stored prompt is not the one of the entry" in out
    assert "entry 6: the stored name is not the one of the entry" in out


@pytest.mark.parametrize("how", ["the keys", "a text"])
async def test_texts_of_another_session_in_the_place_of_its_own_are_found(
    bench: Bench, how: str
) -> None:
    await sealed(bench)
    one, two = words_key(f"T1.{OWNER}.one"), words_key(f"T1.{OWNER}.two")
    if how == "the keys":
        await bench.redis.rename(one, "imagine:between")
        await bench.redis.rename(two, one)
        await bench.redis.rename("imagine:between", two)
    else:
        texts = await bench.redis.hgetall(two)
        await bench.redis.hset(one, mapping=texts)
        (own,) = (await bench.redis.hgetall(one)).keys() - texts.keys()
        await bench.redis.hdel(one, own)
    code, out = await bench.run("verify")
    assert (code, "session one: other texts were put in the place of its own" in out) == (1, True)
    assert ("session two" in out) == (how == "the keys")


@pytest.mark.parametrize("stored", ["", "7", "{", '["salt"]', '{"a":1}'])
async def test_broken_words_are_found_and_break_no_command(bench: Bench, stored: str) -> None:
    await sealed(bench)
    key = words_key(f"T1.{OWNER}.one")
    (commitment,) = await bench.redis.hkeys(key)
    await bench.redis.hset(key, commitment, stored)
    code, out = await bench.run("verify")
    assert (code, "entry 1: the stored prompt is not the one" in out) == (1, True)
    assert (await bench.run("export"))[0] == 0


async def test_what_is_too_old_is_trimmed_behind_a_signed_floor(bench: Bench) -> None:
    await aged(bench)
    await bench.sealer.seal_all()
    assert [number for number, _ in await bench.entries()] == [f"{n}-0" for n in range(11, 16)]
    code, out = await bench.run("verify")
    assert code == 0
    assert "the entries up to 10 were trimmed, with a signed floor" in out
    floor = json.loads(await bench.redis.get(floor_key("T1")))
    await bench.redis.set(floor_key("T1"), json.dumps([11, *floor[1:]], separators=(",", ":")))
    code, out = await bench.run("verify")
    assert (code, "the floor at 11 is not the program's" in out) == (1, True)


@pytest.mark.parametrize("done", ["last removed", "changed", "floor forged"])
async def test_what_was_tampered_with_is_not_trimmed_away_behind_a_signed_floor(
    bench: Bench, done: str, caplog: pytest.LogCaptureFixture
) -> None:
    await sealed(bench)
    if done == "last removed":
        await bench.redis.xdel(record_key("T1"), "5-0")  # nothing tells how old its seal is
    elif done == "changed":
        body = json.loads((await bench.entries())[4][1]["body"]) | {"at": 0}
        await rewrite(bench, 5, json.dumps(body))
    else:
        seal = (await bench.record.old_seals("T1", 9))[1]
        forged = floor_at("T1", seal, "")._replace(keyed=True)
        await bench.record.trim("T1", seal, forged)
    before = await bench.entries()
    bench.time.now = time.time() + 2 * HEAD_EVERY
    await bench.sealer.seal_all()
    assert await bench.entries() == before
    assert "the record of T1 is not trimmed" in caplog.text
    assert (await bench.run("verify"))[0] == 1


async def test_seals_without_a_key_after_those_with_it_are_not_trimmed_away(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await aged(bench)
    first, second, third = await bench.record.old_seals("T1", 9)
    await bench.redis.delete(seals_key("T1"))
    assert await bench.record.add_seal("T1", 0, first)
    for last, seal in ((first, second), (second, third)):
        entries = await bench.record.entries_between("T1", last.number + 1, seal.number)
        before = (await bench.record.last_seal("T1")) or first
        forged = seal_entries("T1", before.mac, seal.at, entries, "")
        assert await bench.record.add_seal("T1", last.number, forged)
    await bench.sealer.seal_all()
    assert (await bench.entries())[0][0] == "6-0"
    assert "the record of T1 is not trimmed: up to 10 it is sealed without AUDIT_KEY" in caplog.text
    code, out = await bench.run("verify")
    assert (code, "6–10: sealed without AUDIT_KEY after seals with it" in out) == (1, True)


async def test_a_worker_without_the_key_trims_nothing_of_one_that_has_it(bench: Bench) -> None:
    await sealed(bench)
    last = (await bench.record.old_seals("T1", 9))[-1]
    later = RecordSealer(
        bench.record, SealingKeys(), -DAY, lambda: time.time() + DAY
    )  # all is too old
    await bench.redis.delete(SEALER)
    await later.seal_all()
    assert len(await bench.entries()) == 15
    assert not await bench.redis.exists(floor_key("T1"))
    assert (await bench.record.last_seal("T1")) == last


async def test_a_worker_that_was_paused_beyond_its_lease_changes_nothing(bench: Bench) -> None:
    await bench.published()
    paused = RecordSealer(bench.record, KEYS, TTL, lambda: 1.0)
    add_seal, others = bench.record.add_seal, bench.sealer

    async def later(team: str, before: int, seal: Any) -> bool:
        bench.record.add_seal = add_seal  # type: ignore[method-assign]
        await bench.redis.delete(SEALER)
        await others.seal_all()
        await bench.published("two")
        await others.seal_all()
        return await add_seal(team, before, seal)

    bench.record.add_seal = later  # type: ignore[method-assign]
    await paused.seal("T1")
    code, out = await bench.run("verify")
    assert (code, out) == (0, "T1: the record stands: 10 entries sealed, 0 not yet\n")


async def test_what_another_worker_trims_meanwhile_is_not_called_changed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await aged(bench)
    old_seals = bench.record.old_seals
    other = RecordSealer(bench.record, KEYS, TTL, lambda: bench.time.now)

    async def trimmed_then(team: str, most: int) -> list[Seal]:
        found = await old_seals(team, most)
        monkeypatch.setattr(bench.record, "old_seals", old_seals)
        await bench.redis.delete(SEALER)
        await other.seal_all()
        return found

    monkeypatch.setattr(bench.record, "old_seals", trimmed_then)
    await bench.sealer.seal_all()
    assert len(await bench.entries()) == 5
    assert "is not trimmed" not in caplog.text
    assert (await bench.run("verify"))[0] == 0


async def test_a_clock_that_jumps_ahead_trims_nothing(bench: Bench) -> None:
    await sealed(bench)
    for bench.time.now in (4e9, 1.0, 5e9):
        await bench.sealer.seal_all()
    assert len(await bench.entries()) == 15
    assert (await bench.run("verify"))[0] == 0


async def test_numbers_and_the_chain_go_on_after_everything_was_trimmed(bench: Bench) -> None:
    await sealed(bench)
    last, *_ = reversed(await bench.record.old_seals("T1", 9))
    assert await bench.record.trim("T1", last, floor_at("T1", last, KEY))
    assert await bench.entries() == []
    await bench.published("four")
    await bench.sealer.seal_all()
    assert next(number for number, _ in await bench.entries()) == "16-0"
    assert (await bench.run("verify"))[0] == 0


async def test_two_sealers_at_once_make_one_chain(bench: Bench) -> None:
    await asyncio.gather(*(bench.published(f"s{n}") for n in range(12)))
    sealers = [RecordSealer(bench.record, KEYS, TTL) for _ in range(5)]
    while await bench.record.unsealed_since():
        await asyncio.gather(*(sealer.seal("T1") for sealer in sealers))
    assert (await bench.run("verify"))[0] == 0


async def test_one_worker_seals_until_its_lease_ends(bench: Bench) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("two")
    other = RecordSealer(bench.record, KEYS, TTL)
    await other.seal_all()
    assert await bench.record.unsealed_since() > 0
    assert 0 < await bench.redis.pttl(SEALER) <= 45_000
    await bench.redis.delete(SEALER)  # the worker was killed, and its lease ended
    await other.seal_all()
    assert await bench.record.unsealed_since() == 0
    assert (await bench.run("verify"))[0] == 0


async def test_a_worker_without_the_key_does_not_seal_behind_one_that_has_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("two")
    await RecordSealer(bench.record, SealingKeys(), TTL).seal("T1")
    assert "AUDIT_KEY, which this worker lacks" in caplog.text
    assert await bench.record.unsealed_since() > 0
    assert (await bench.run("verify"))[0] == 0


async def test_a_worker_without_the_key_keeps_no_other_from_sealing(bench: Bench) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("two")
    await bench.redis.delete(SEALER)
    without_key = RecordSealer(bench.record, SealingKeys(), TTL)
    for sealer in (without_key, bench.sealer, without_key):
        await sealer.seal_all()
    assert await bench.record.unsealed_since() == 0
    await bench.published("three")
    for sealer in (without_key, bench.sealer):  # who can seal has the lease by now
        await sealer.seal_all()
    assert await bench.record.unsealed_since() == 0
    assert (await bench.run("verify"))[0] == 0


async def test_the_key_can_be_changed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("two")
    await RecordSealer(bench.record, SealingKeys(NEW_KEY, (KEY,)), TTL).seal("T1")
    assert "a key that this worker lacks" not in caplog.text
    code, out = await bench.run("verify", key=NEW_KEY, old=f" {'x' * 32} , {KEY}")
    assert (code, out) == (0, "T1: the record stands: 10 entries sealed, 0 not yet\n")
    code, out = await bench.run("verify", key=NEW_KEY)
    assert code == 1
    assert f"NOT CHECKED entries 1–5: sealed with a key that is not given ({_id_of(KEY)})" in out
    assert f"the ids of the keys that are given: {key_id(NEW_KEY)}\n" in out
    assert "cannot be checked in full" in out
    assert "PROBLEM" not in out
    await rewrite(bench, 3, "{}")
    code, out = await bench.run("verify", key=NEW_KEY, old=KEY)
    assert (code, "PROBLEM entries 1–5: not what was sealed" in out) == (1, True)


def _id_of(key: str) -> str:
    return f"its id is {key_id(key)}"


async def test_a_record_goes_on_where_the_old_key_is_lost_and_is_not_trimmed_there(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    later = RecordSealer(bench.record, SealingKeys(NEW_KEY), -DAY, lambda: time.time() + DAY)
    for token in ("two", "three"):
        await bench.published(token)
        await bench.redis.delete(SEALER)
        await later.seal_all()
    assert await bench.record.unsealed_since() == 0
    assert caplog.text.count(f"a key that this worker lacks ({_id_of(KEY)})") == 1
    assert f"up to 5 it is sealed with a key that is not given ({_id_of(KEY)})" in caplog.text
    assert len(await bench.entries()) == 15


async def test_a_record_is_trimmed_across_a_change_of_the_key(bench: Bench) -> None:
    await bench.published()
    await bench.sealer.seal_all()
    await bench.published("two")
    keys = SealingKeys(NEW_KEY, (KEY,))
    for now in (time.time() + DAY, time.time() + 2 * DAY):
        await bench.redis.delete(SEALER)
        await RecordSealer(bench.record, keys, -3 * DAY, lambda now=now: now).seal_all()  # type: ignore[misc]
    assert await bench.entries() == []
    floor = await bench.record.floor("T1")
    assert floor is not None
    assert floor.key_id == key_id(NEW_KEY)
    await bench.published("three")
    await RecordSealer(bench.record, keys, TTL).seal("T1")
    assert (await bench.run("verify", key=NEW_KEY))[0] == 0


async def test_seals_and_a_floor_of_a_version_that_named_no_key_stand(bench: Bench) -> None:
    await sealed(bench)
    seal = (await bench.record.old_seals("T1", 9))[0]
    await bench.record.trim("T1", seal, floor_at("T1", seal, KEY)._replace(key_id=""))
    stored = await bench.redis.xrange(seals_key("T1"))
    await bench.redis.delete(seals_key("T1"))
    for identifier, fields in stored:
        fields.pop("key_id")
        await bench.redis.xadd(seals_key("T1"), fields, identifier)
    assert json.loads(await bench.redis.get(floor_key("T1")))[2] is True
    assert (await bench.run("verify"))[0] == 0
    assert (await bench.run("verify", key=NEW_KEY, old=KEY))[0] == 0
    assert (await bench.run("verify", key=NEW_KEY))[0] == 1


async def test_a_record_that_was_lost_stays_unsealed_and_is_told(bench: Bench) -> None:
    await sealed(bench)
    await bench.redis.delete(record_key("T1"))
    await bench.published("four")
    await bench.sealer.seal_all()
    assert await bench.record.unsealed_since() > 0
    code, out = await bench.run("verify")
    assert (code, "entries were numbered anew: 5 after 15" in out) == (1, True)


async def test_a_store_that_is_away_puts_sealing_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.published()
    teams, add_seal, sealed = bench.record.teams, bench.record.add_seal, asyncio.Event()

    async def away_once() -> list[str]:
        if "sealing the record put off" not in caplog.text:
            raise StoreUnavailable("away")
        return await teams()

    async def tell(*of_seal: Any) -> bool:
        sealed.set()
        return await add_seal(*of_seal)

    monkeypatch.setattr(bench.record, "teams", away_once)
    monkeypatch.setattr(bench.record, "add_seal", tell)
    monkeypatch.setattr("bot.jobs.sealer.SEAL_EVERY", 0.01)
    running = asyncio.create_task(bench.sealer.run())
    async with asyncio.timeout(10):
        await sealed.wait()
    await cancel_and_wait(running)


async def test_a_workspace_without_a_record_is_told_and_does_not_stand(bench: Bench) -> None:
    await bench.published()
    for command in ("verify", "export"):
        with pytest.raises(StartupError, match="there is no record of T2"):
            await bench.run(command, "--team", "T2")


async def test_a_session_is_shown_by_its_id_or_its_token(bench: Bench) -> None:
    await bench.published("one")
    await bench.published("two")
    await bench.record.append("T1", settings_changed(OWNER, "budget", 1, 2))
    whole = await bench.run("show", f"T1.{OWNER}.one")
    assert (whole[0], len(whole[1].splitlines())) == (0, 5)
    assert await bench.run("show", "one") == whole
    for unknown in (f"T2.{OWNER}.one", "on", "o*"):
        assert (await bench.run("show", unknown))[0] == 1
    for broken in ("", "T1.", f"T1.{OWNER}", f"T1.{OWNER}.", "T1..", ".."):
        with pytest.raises(StartupError, match=r"SESSION is team\.user\.token"):
            await bench.run("show", broken)


async def test_half_a_character_breaks_no_export(bench: Bench) -> None:
    session = begin.submit(replace(NEW, id=f"T1.{OWNER}.one"), PROMPT, 1.0)
    asked = replace(session.latest, prompt="a fox \ud83e")
    await bench.record.append("T1", refused(session, asked, Refusal(Reason.NOT_CHECKED)))
    _, out = await bench.run("export")
    assert next(csv.DictReader(io.StringIO(out)))["prompt"] == "a fox ?"
    for command in (["export", "--format", "json"], ["show", "one"]):
        (await bench.run(*command))[1].encode()


async def test_exports_hold_every_entry_and_no_formula(bench: Bench) -> None:
    await bench.published("one", prompt='=HYPERLINK("http://x","y")')
    await bench.published("two", prompt='a fox, "quoted"\nin two lines')
    await bench.sealer.seal_all()
    _, out = await bench.run("export")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["number"] for row in rows] == [str(n) for n in range(1, 11)]
    assert rows[0]["prompt"] == '\'=HYPERLINK("http://x","y")'
    assert rows[5]["prompt"] == 'a fox, "quoted"\nin two lines'
    published = rows[4]
    assert (published["kind"], published["message"]) == ("published", "9.0")
    assert published["sha256"] == rows[1]["sha256"] == IMAGE.sha256
    _, out = await bench.run("export", "--format", "json", "--team", "T1")
    told = json.loads(out)
    assert told[0]["prompt"] == '=HYPERLINK("http://x","y")'
    assert [row["kind"] for row in told[:5]] == [row["kind"] for row in rows[:5]]


@pytest.mark.parametrize("head", ["5", "x:abc", "5:", ":abc"])
async def test_a_head_of_another_form_is_refused_in_words(bench: Bench, head: str) -> None:
    with pytest.raises(StartupError, match="NUMBER:SEAL"):
        await bench.run("verify", "--team", "T1", "--head", head)
    with pytest.raises(StartupError, match="needs --team"):
        await bench.run("verify", "--head", "5:abc")


@pytest.mark.usefixtures("own_logs")
def test_the_command_ends_with_the_code_of_what_it_found(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert main(["audit", "verify"]) == 1
    assert main(["audit", "export"]) == 0
    assert main(["audit", "show", ID]) == 1
    assert "no entry" in capsys.readouterr().out
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("DATA_DIR", "nowhere")
    assert main(["audit", "verify"]) == 1
    assert "REDIS_URL is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize(
    "command",
    [
        ["audit", "verify"],
        ["audit", "export"],
        ["audit", "show", ID],
        ["audit", "verify", "--team", "T1"],
        ["usage"],
    ],
)
def test_a_redis_that_is_away_is_told_in_words(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    monkeypatch.setattr("bot.ops.audit.commands.PATIENCE", 0.2)
    monkeypatch.setattr("bot.ops.usage.PATIENCE", 0.2)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("imagine-bot: ")
    assert "Redis does not answer" in said


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("command", [["audit", "export"], ["usage"]])
@pytest.mark.parametrize("url", ["nonsense", "redis://127.0.0.1:99999/0", "redis://:secret@h:x"])
def test_a_url_that_is_none_is_told_in_words(
    command: list[str],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "REDIS_URL: not a Redis URL" in said
    assert "secret" not in said


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize(
    "command",
    [
        ["audit", "export"],
        ["audit", "export", "--format", "json"],
        ["audit", "verify"],
        ["audit", "show", "one"],
        ["usage"],
    ],
)
def test_a_reader_who_has_enough_ends_a_command_without_words(
    redis_url: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(command) == 128 + signal.SIGPIPE
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("command", [["audit", "export"], ["audit", "verify"], ["usage"]])
def test_a_disk_without_room_for_the_output_is_told(
    redis_url: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    with suppress(OSError), Path("/dev/full").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(command) == 1
    said = capsys.readouterr().err
    assert said == "imagine-bot: the output cannot be written: No space left on device\n"


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("command", [["audit", "export"], ["usage"]])
def test_an_output_that_is_closed_is_no_error(
    redis_url: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr(sys, "stdout", None)
    assert main(command) == 0
    sys.stdout.close()
    assert "Traceback" not in capsys.readouterr().err
