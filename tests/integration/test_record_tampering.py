"""What somebody who can write to Redis does to a record, and what `verify` says about it."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.redis import RedisRecord
from bot.adapters.redis.record_schema import SEALER, floor_to_json, person_key, words_key
from bot.adapters.redis.schema import asked_key, ledger_key
from bot.domain import begin, generation
from bot.domain.costs import day_of
from bot.domain.record import commit, settings_changed
from bot.domain.seals import NO_KEY, SealingKeys, floor_at, seal_entries
from bot.jobs.sealer import HEAD_EVERY, RecordSealer
from tests.fakes import IMAGE, OWNER
from tests.integration.record_bench import (
    DAY,
    FIRST,
    FLOOR,
    KEY,
    NEW,
    NEW_KEY,
    RECORD,
    SEALS,
    TTL,
    UTC,
    Bench,
    a_bench,
    aged,
    put,
    rewrite,
    sealed,
)

Tamper = Callable[[Bench], Awaitable[Any]]


@pytest.fixture
def bench(redis: Any, redis_url: str, capsys: pytest.CaptureFixture[str]) -> Bench:
    return a_bench(redis, redis_url, capsys)


async def seals(bench: Bench) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = await bench.redis.xrange(SEALS)
    return found


async def seal_on(bench: Bench) -> None:
    """As the next worker does: it seals, logs the head and trims, also an hour after it did."""
    await bench.redis.delete(SEALER)
    bench.time.now = max(time.time(), bench.time.now + HEAD_EVERY)
    await bench.sealer.seal_all()


async def put_behind_the_last(bench: Bench) -> None:
    await bench.redis.xadd(RECORD, {"body": "{}", "person": ""}, "15-7")


async def put_beside_one(bench: Bench) -> None:
    entries = await bench.entries()
    await put(bench, RECORD, [*entries[:8], ("8-7", entries[7][1]), *entries[8:]])


async def put_in_place_of_one(bench: Bench) -> None:
    entries = await bench.entries()
    await put(bench, RECORD, [*entries[:7], ("8-7", entries[7][1]), *entries[8:]])


async def put_before_the_first(bench: Bench) -> None:
    entries = await bench.entries()
    await put(bench, RECORD, [("0-7", entries[7][1]), *entries])


async def add_a_field(bench: Bench) -> None:
    entries = await bench.entries()
    entries[4][1]["note"] = "approved by the board"
    await put(bench, RECORD, entries)


async def add_a_body(bench: Bench) -> None:
    entries = await bench.entries()
    twice = [("body", '{"kind":"approved"}'), *entries[4][1].items()]
    await put(bench, RECORD, [*entries[:4], ("5-0", twice), *entries[5:]])


async def drop_a_field(bench: Bench) -> None:
    entries = await bench.entries()
    del entries[1][1]["person"]
    await put(bench, RECORD, entries)


async def renumber(bench: Bench) -> None:
    entries = await bench.entries()
    await put(bench, RECORD, [(f"{n}-0", f) for n, (_, f) in enumerate(entries, 2)])


async def cut_the_tail(bench: Bench) -> None:
    """As if it had never been: the streams forget what they gave."""
    entries, all_seals = await bench.entries(), await seals(bench)
    await put(bench, RECORD, entries[:10])
    await put(bench, SEALS, all_seals[:2])


async def cut_the_beginning(bench: Bench) -> None:
    entries, all_seals = await bench.entries(), await seals(bench)
    await put(bench, RECORD, entries[10:])
    await put(bench, SEALS, all_seals[2:])


async def exchange_two_seals(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [(one[0], two[1]), (two[0], one[1]), three])


async def exchange_the_last_seals(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [one, (two[0], three[1]), (three[0], two[1])])


async def copy_a_seal_between(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [one, ("7-0", two[1]), two, three])


async def copy_a_seal_behind(bench: Bench) -> None:
    all_seals = await seals(bench)
    await put(bench, SEALS, [*all_seals, ("16-0", all_seals[2][1])])


async def copy_a_seal_beside(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [one, two, ("10-1", two[1]), three])


async def move_a_seal_beside(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [one, ("10-3", two[1]), three])


async def shorten_a_seal(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [("4-0", one[1]), two, three])


async def lengthen_a_seal(bench: Bench) -> None:
    one, two, three = await seals(bench)
    await put(bench, SEALS, [("6-0", one[1]), two, three])


async def put_a_seal_before_the_first(bench: Bench) -> None:
    all_seals = await seals(bench)
    await put(bench, SEALS, [("0-1", all_seals[0][1]), *all_seals])


async def add_a_field_to_a_seal(bench: Bench) -> None:
    all_seals = await seals(bench)
    all_seals[1][1]["note"] = "valid"
    await put(bench, SEALS, all_seals)


async def name_another_key(bench: Bench) -> None:
    all_seals = await seals(bench)
    all_seals[1][1]["key_id"] = "0123456789ab"
    await put(bench, SEALS, all_seals)


async def name_no_key(bench: Bench) -> None:
    all_seals = await seals(bench)
    all_seals[1][1]["key_id"] = ""
    await put(bench, SEALS, all_seals)


async def trim(bench: Bench, number: int = 1, key: str = KEY) -> None:
    seal = (await bench.record.old_seals("T1", 9))[number]
    await bench.record.trim("T1", seal, floor_at("T1", seal, key))


async def change_the_floor(bench: Bench, number: object) -> None:
    await trim(bench)
    floor = json.loads(await bench.redis.get(FLOOR))
    await bench.redis.set(FLOOR, json.dumps([number, *floor[1:]], separators=(",", ":")))


async def take_the_floor_away(bench: Bench) -> None:
    await trim(bench)
    await bench.redis.delete(FLOOR)


async def put_an_old_entry_below_the_floor(bench: Bench) -> None:
    old = await bench.entries()
    await trim(bench)
    await put(bench, RECORD, [old[2], *await bench.entries()])


async def put_an_old_seal_below_the_floor(bench: Bench) -> None:
    old = await seals(bench)
    await trim(bench)
    await put(bench, SEALS, [old[0], *await seals(bench)])


async def put_a_floor_before_what_is_there(bench: Bench) -> None:
    seal = (await bench.record.old_seals("T1", 9))[1]
    await bench.redis.set(FLOOR, floor_to_json(floor_at("T1", seal, "")))


async def seal_all_without_the_key(bench: Bench) -> None:
    await rewrite(bench, 3, (await bench.entries())[7][1]["body"])
    await bench.redis.delete(SEALS, SEALER)
    await RecordSealer(bench.record, SealingKeys(), TTL).seal_all()
    await bench.published("four")
    await bench.redis.delete(SEALER)
    await bench.sealer.seal_all()


async def copy_a_name(bench: Bench) -> None:
    for user in ("U0", "U77", "U9"):  # whichever of them is read first
        await bench.redis.set(
            person_key("T1", user), await bench.redis.get(person_key("T1", OWNER))
        )


async def add_a_name(bench: Bench) -> None:
    salt, _, commitment = commit("U77")
    await bench.redis.set(person_key("T1", "U77"), f"{salt} {commitment[:32]}")


async def take_another_pseudonym(bench: Bench) -> None:
    salt, _, commitment = commit(OWNER)
    await bench.redis.set(person_key("T1", OWNER), f"{salt} {commitment[:32]}")


async def copy_the_texts(bench: Bench) -> None:
    texts = await bench.redis.hgetall(words_key(f"T1.{OWNER}.one"))
    await bench.redis.hset(words_key("T1.U77.one"), mapping=texts)


BROKEN = '["salt","text"]'


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (put_behind_the_last, "entry 15: it stands as 15-7"),
        (put_beside_one, "entry 8: it stands as 8-7"),
        (put_in_place_of_one, "entry 8: it stands as 8-7"),
        (put_before_the_first, "entry 0: it stands as 0-7"),
        (add_a_field, "entry 5: its fields are not the program's"),
        (add_a_body, "entry 5: its fields are not the program's"),
        (drop_a_field, "entry 2: its fields are not the program's"),
        (renumber, "entry 1: missing"),
        (cut_the_tail, "session three: no entry names 1 of its texts"),
        (cut_the_beginning, "entries 1–10: missing"),
        (lambda b: b.redis.xdel(RECORD, "1-0"), "entry 1: missing"),
        (lambda b: b.redis.xdel(RECORD, "8-0"), "entry 8: missing"),
        (lambda b: b.redis.xdel(RECORD, "15-0"), "entry 15: missing"),
        (lambda b: b.redis.xdel(SEALS, "5-0"), "entries 1–10: not what was sealed"),
        (lambda b: b.redis.xdel(SEALS, "10-0"), "entries 6–15: not what was sealed"),
        (lambda b: b.redis.xdel(SEALS, "15-0"), "the last seal is gone: there was one of 15"),
        (exchange_two_seals, "entries 1–5: not what was sealed"),
        (exchange_the_last_seals, "entries 6–10: not what was sealed"),
        (copy_a_seal_between, "entries 6–7: not what was sealed"),
        (copy_a_seal_behind, "entry 16: missing"),
        (copy_a_seal_beside, "the seal 10 stands out of its order"),
        (move_a_seal_beside, "the seal 10: it stands as 10-3"),
        (shorten_a_seal, "entries 1–4: not what was sealed"),
        (lengthen_a_seal, "entries 1–6: not what was sealed"),
        (put_a_seal_before_the_first, "the seal 0 stands out of its order"),
        (add_a_field_to_a_seal, "the seal 10: its fields are not the program's"),
        (name_another_key, "sealed with a key that is not given (its id is 0123456789ab)"),
        (name_no_key, "the seal 10: its fields are not the program's"),
        (lambda b: change_the_floor(b, 11), "the floor at 11 is not the program's"),
        (lambda b: change_the_floor(b, 10.9), "the floor at 0 is not the program's"),
        (lambda b: change_the_floor(b, "10"), "the floor at 0 is not the program's"),
        (take_the_floor_away, "entries 1–10: missing"),
        (lambda b: b.redis.set(FLOOR, ""), "the floor at 0 is not the program's"),
        (
            lambda b: b.redis.set(FLOOR, '[5,"\\ud83e",true,"\\ud83e"]'),
            "the floor at 5 is not the program's",
        ),
        (lambda b: trim(b, key=""), "the floor at 10 was made without AUDIT_KEY"),
        (put_an_old_entry_below_the_floor, "entries 11–15: not what was sealed"),
        (put_an_old_seal_below_the_floor, "the seal 5 stands out of its order"),
        (put_a_floor_before_what_is_there, "the floor at 10 was made without AUDIT_KEY"),
        (seal_all_without_the_key, "NOT CHECKED entries up to 15: sealed without AUDIT_KEY"),
        (copy_a_name, "the key of the person U77 holds what is not theirs"),
        (add_a_name, "no entry names the person U77"),
        (take_another_pseudonym, f"no entry names the person {OWNER}"),
        (copy_the_texts, "session one: its texts lie in 2 keys"),
        (
            lambda b: b.redis.hset(words_key(f"T1.{OWNER}.zzz"), "hash", BROKEN),
            "session zzz: no entry names 1 of its texts",
        ),
        (
            lambda b: b.redis.hset(words_key(f"T1.{OWNER}.one"), "hash", BROKEN),
            "session one: no entry names 1 of its texts",
        ),
        (
            lambda b: b.redis.hset("imagine:{T1}:record:words:zzz", "hash", BROKEN),
            "session : no entry names 1 of its texts",
        ),
        (
            lambda b: b.redis.set("imagine:{T1}:record:note", "x"),
            "the program writes no key imagine:{T1}:record:note",
        ),
        (
            lambda b: b.redis.xadd(RECORD, {"body": "{}"}, "18446744073709551615-0"),
            "entries 16–18446744073709551614: missing",
        ),
    ],
)
async def test_what_is_done_to_a_record_is_told_and_stays_so(
    bench: Bench, tamper: Tamper, problem: str
) -> None:
    await sealed(bench)
    assert (await bench.run("verify"))[0] == 0
    await tamper(bench)
    code, out = await bench.run("verify")
    assert (code, problem in out) == (1, True), out
    for keys in ({"key": ""}, {"key": NEW_KEY}, {"key": NEW_KEY, "old": KEY}):
        assert (await bench.run("verify", **keys))[0] == 1, keys
    for command in (["export"], ["export", "--format", "json"], ["show", "one"]):
        await bench.run(*command)
    await seal_on(bench)
    assert (await bench.run("verify"))[0] == 1


async def remove_all(bench: Bench) -> None:
    keys = [key async for key in bench.redis.scan_iter("imagine:{T1}:record*")]
    await bench.redis.delete(*keys)


REMOVED = "T1: PROBLEM there is no record, though images were asked for: it was removed\n"


@pytest.mark.parametrize("left", ["ledger", "counters", "both"])
async def test_a_record_that_was_removed_whole_is_told_by_the_books(
    bench: Bench, left: str
) -> None:
    await bench.paid("one")
    await bench.sealer.seal_all()
    assert (await bench.run("verify"))[0] == 0
    await remove_all(bench)
    if left == "ledger":
        await bench.redis.delete(asked_key("T1", day_of(time.time(), UTC)))
    if left == "counters":
        await bench.redis.delete(ledger_key("T1"))
    assert await bench.run("verify") == (1, REMOVED)
    assert await bench.run("verify", "--team", "T1") == (1, REMOVED)
    await bench.record.append("T2", settings_changed(OWNER, "budget", 1, 2))
    await seal_on(bench)
    code, out = await bench.run("verify")
    assert (code, REMOVED in out, "T2: the record stands" in out) == (1, True, True)


async def test_a_tail_whose_seals_were_taken_away_is_not_checked_until_it_is_sealed_anew(
    bench: Bench,
) -> None:
    await sealed(bench)
    entries = [
        (id_, {**fields, "body": json.dumps({**json.loads(fields["body"]), "at": 1e9})})
        for id_, fields in await bench.entries()
    ]
    await put(bench, SEALS, (await seals(bench))[:1])
    await put(bench, RECORD, [*(await bench.entries())[:5], *entries[5:]])
    code, out = await bench.run("verify")
    assert code == 1
    assert "NOT CHECKED entries 6–15: written more than an hour ago and not sealed" in out


async def test_a_person_can_be_taken_out_of_the_record_and_the_ledger(bench: Bench) -> None:
    await bench.paid("one")
    await bench.sealer.seal_all()
    entries = json.dumps(await bench.entries())
    assert "one" in entries
    assert OWNER not in entries
    (line,) = await bench.redis.xrange(ledger_key("T1"))
    assert f"T1.{OWNER}.one" in line[1]["line"]  # who the session's token is of
    await bench.redis.delete(person_key("T1", OWNER), words_key(f"T1.{OWNER}.one"))
    await bench.redis.xdel(ledger_key("T1"), line[0])
    code, out = await bench.run("verify")
    assert (code, "withheld: 2 names or texts" in out) == (0, True)


async def test_books_that_are_older_than_entries_are_kept_tell_of_no_record(bench: Bench) -> None:
    await bench.paid("one")
    await remove_all(bench)
    (line,) = await bench.redis.xrange(ledger_key("T1"))
    today = asked_key("T1", day_of(time.time(), UTC))
    old = time.time() - 401 * DAY
    await bench.redis.delete(ledger_key("T1"))
    await bench.redis.xadd(ledger_key("T1"), line[1], f"{old * 1000:.0f}-0")
    await bench.redis.rename(today, asked_key("T1", day_of(old, UTC)))
    await bench.redis.hset(asked_key("T1", "no day"), "U1", "1")
    assert await bench.run("verify") == (1, "NOT CHECKED there is no record\n")


async def test_a_record_that_was_made_anew_is_told_by_the_ledger(bench: Bench) -> None:
    for token in ("one", "two"):
        await bench.paid(token)
    await bench.sealer.seal_all()
    await remove_all(bench)
    await bench.paid("three")
    await seal_on(bench)
    code, out = await bench.run("verify")
    told = f"the ledger has 2 paid attempts that no entry asked for, T1.{OWNER}.one.1.1.1 the first"
    assert (code, told in out) == (1, True), out


async def test_a_trimmed_record_stands_beside_a_ledger_and_texts_that_are_kept_longer(
    bench: Bench,
) -> None:
    for token in ("one", "two", "three"):
        await bench.paid(token)
        await bench.sealer.seal_all()
    await trim(bench)
    code, out = await bench.run("verify")
    assert code == 0
    assert "kept: 2 names or texts that no entry names; theirs may have been trimmed" in out


async def test_what_comes_while_a_record_is_read_is_not_called_unnamed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealed(bench)
    hashes = RedisRecord.hashes_of_sessions

    async def after_another_attempt(*read: Any) -> dict[str, set[str]]:
        await bench.store.update(f"T1.{OWNER}.late", lambda s: begin.refine(s, FIRST, "bluer", 6))
        return await hashes(*read)

    late = begin.asked_by(NEW, begin.submit(replace(NEW, id=f"T1.{OWNER}.late"), "x", 1.0), OWNER)
    await bench.store.create(replace(late, version=0))
    for change in (
        lambda s: generation.started(s, FIRST, "r", 2.0),
        lambda s: generation.image_made(s, FIRST, IMAGE, 3.0),
        lambda s: generation.draft_posted(s, 1, "1.5", 4.0),
    ):
        await bench.store.update(late.id, change)
    monkeypatch.setattr(RedisRecord, "hashes_of_sessions", after_another_attempt)
    code, out = await bench.run("verify")
    assert (code, out) == (0, "T1: the record stands: 15 entries sealed, 3 not yet\n")
    assert len(await bench.redis.hgetall(words_key(late.id))) > 1


async def test_a_record_that_began_without_a_key_is_told_apart_where_none_is_listed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.published("one")
    await RecordSealer(bench.record, SealingKeys(), TTL).seal("T1")
    assert (await bench.run("verify", old=NO_KEY))[1].splitlines()[0] == (
        "T1: NOT CHECKED no seal was made with AUDIT_KEY"
    )
    await bench.published("two")
    for _ in range(2):
        await seal_on(bench)
    assert caplog.text.count("the record of T1 is sealed without AUDIT_KEY up to 5") == 1
    code, out = await bench.run("verify", old=NO_KEY)
    first, last = out.splitlines()
    assert code == 0
    assert first.startswith(
        "T1: entries up to 5: sealed without AUDIT_KEY; a change of them before"
    )
    assert last == "T1: the record stands: 10 entries sealed, 0 not yet"
    code, out = await bench.run("verify")
    assert (code, "NOT CHECKED entries up to 5" in out, "PROBLEM" in out) == (1, True, False)


async def test_a_record_that_was_rewritten_as_old_and_without_a_key_is_not_trimmed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await aged(bench)
    entries = await bench.record.entries_between("T1", 1, 10)
    forged = seal_entries("T1", "", "1.0", entries, "")
    newest = await bench.record.entries_between("T1", 11, 15)
    await bench.redis.delete(SEALS)
    assert await bench.record.add_seal("T1", 0, forged)
    assert await bench.record.add_seal("T1", 10, seal_entries("T1", forged.mac, "2.0", newest, KEY))
    await bench.sealer.seal_all()
    assert len(await bench.entries()) == 15
    assert "AUDIT_KEY_FALLBACKS does not list `none`" in caplog.text
    explained = RecordSealer(bench.record, SealingKeys(KEY, (), none_before=True), TTL)
    await bench.redis.delete(SEALER)
    await explained.seal_all()
    assert (await bench.entries())[0][0] == "11-0"


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (name_another_key, "the seal 10: its fields are not the program's"),
        (add_a_body, "entry 5: its fields are not the program's"),
        (exchange_two_seals, "entries 1–5: not what was sealed"),
        (copy_a_seal_between, "entries 6–7: not what was sealed"),
        (move_a_seal_beside, "the seal 10: it stands as 10-3"),
        (lambda b: b.redis.xdel(SEALS, "10-0"), "entries 6–15: not what was sealed"),
        (put_behind_the_last, "entry 15: it stands as 15-7"),
        (add_a_name, "no entry names the person U77"),
    ],
)
async def test_the_same_is_told_of_a_record_without_a_key(
    bench: Bench, tamper: Tamper, problem: str
) -> None:
    without = RecordSealer(bench.record, SealingKeys(), TTL)
    bench = bench._replace(sealer=without)
    await sealed(bench)
    assert (await bench.run("verify", key=""))[0] == 0
    await tamper(bench)
    code, out = await bench.run("verify", key="")
    assert (code, problem in out) == (1, True), out


@pytest.mark.parametrize("kind", ["of another type", "no text"])
async def test_a_ledger_that_cannot_be_read_is_told_and_keeps_no_other_record_from_it(
    bench: Bench, kind: str
) -> None:
    await bench.paid("one")
    await bench.sealer.seal_all()
    await bench.record.append("T2", settings_changed(OWNER, "budget", 1, 2))
    await seal_on(bench)
    if kind == "no text":
        await bench.redis.xadd(ledger_key("T1"), {"line": b"\xff"})
    else:
        await bench.redis.set(ledger_key("T1"), "x")
    code, out = await bench.run("verify")
    assert (code, "T1: PROBLEM the record cannot be read" in out) == (1, True)
    assert "T2: the record stands" in out
    await remove_all(bench)
    assert (await bench.run("verify", "--team", "T1")) == (1, REMOVED)


async def test_the_record_of_another_workspace_in_the_place_of_its_own_is_told(
    bench: Bench,
) -> None:
    await sealed(bench)
    async for key in bench.redis.scan_iter("imagine:{T1}:record*"):
        await bench.redis.copy(key, key.replace("{T1}", "{T2}"))
    code, out = await bench.run("verify")
    assert (code, "T1: the record stands" in out) == (1, True)
    assert "T2: PROBLEM entries 1–5: not what was sealed" in out


async def test_nothing_that_a_terminal_obeys_is_written_for_people(bench: Bench) -> None:
    hidden = "e\x1b[2K\rT1: the record stands\u202e\ud83e"
    await sealed(bench)
    await rewrite(bench, 9, json.dumps({"session": hidden, "kind": hidden}))
    await bench.redis.set(f"imagine:{{T1}}:record:{hidden[:-1]}", "x")
    for command in (["verify"], ["show", hidden]):
        code, out = await bench.run(*command)
        assert "\\x1b[2K\\rT1: the record stands\\u202e" in out
        assert not {"\x1b", "\r", "\u202e"} & set(out)
        assert code == (1 if command == ["verify"] else 0)


async def test_what_is_kept_of_a_record_ends_with_it(bench: Bench) -> None:
    await sealed(bench)
    await bench.redis.expire(RECORD, 100)
    await bench.published("four")
    await bench.redis.expire(RECORD, 50)
    await seal_on(bench)
    await trim(bench)
    left = await bench.redis.pttl(RECORD)
    for key in (SEALS, FLOOR):
        assert 0 < await bench.redis.pttl(key) <= left


@pytest.mark.parametrize("at", ["NaN", "Infinity", "1" + "0" * 400, "1e999", "true", '"now"'])
async def test_a_time_that_is_none_breaks_no_command_and_keeps_no_other_record_from_being_sealed(
    bench: Bench, at: str
) -> None:
    await sealed(bench)
    await trim(bench, 0)
    for number in (6, 15):
        await rewrite(bench, number, f'{{"at":{at},"kind":"asked"}}')
    await bench.record.append("T2", settings_changed(OWNER, "budget", 1, 2))
    await seal_on(bench)
    code, out = await bench.run("verify")
    assert (code, "T1: PROBLEM entries 6–10: not what was sealed" in out) == (1, True)
    assert "T2: the record stands: 1 entries sealed" in out
    assert await bench.record.unsealed_since() == 0


@pytest.mark.parametrize(
    "id_", ['"x"', "7", "null", '"T1.U1.one.x.1.1"', f'"T1.U1.one.{"9" * 5000}.1.1"']
)
async def test_a_line_of_the_ledger_that_names_no_call_breaks_nothing(
    bench: Bench, id_: str
) -> None:
    await bench.paid("one")
    await bench.sealer.seal_all()
    ((_, fields),) = await bench.redis.xrange(ledger_key("T1"))
    own = json.loads(fields["line"])["id"]
    broken = fields["line"].replace(f'"{own}"', id_)
    await bench.redis.xadd(ledger_key("T1"), {"line": broken})
    assert (await bench.run("verify"))[0] == 0
