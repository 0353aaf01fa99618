"""What Slack has signed, and whether it was here before."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict
from slack_sdk.signature import SignatureVerifier

from bot.slack.transport.signing import WINDOW, Replays, RequestSignature, Signing
from tests.fakes import FakeSignatures

NOW = 1_800_000_000.0
SECRET, BODY = "signing-secret", "text=a+fox+🦊".encode()


def signing(now: float = NOW) -> Signing:
    return Signing(SECRET, lambda: now)


def headers(
    body: bytes = BODY, at: float = NOW, secret: str = SECRET, **changes: str
) -> CIMultiDict[str]:
    timestamp = str(int(at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body) or ""
    names = {"timestamp": "X-Slack-Request-Timestamp", "signature": "X-Slack-Signature"}
    values = {"timestamp": timestamp, "signature": signature} | changes
    return CIMultiDict({names[name]: value for name, value in values.items()})


def note(signature: str = "v0=1", until: float = NOW + WINDOW) -> RequestSignature:
    return RequestSignature(signature, until)


@pytest.mark.parametrize("away", [-WINDOW, -1, 0, 1, WINDOW])
def test_what_slack_signed_within_five_minutes_is_taken(away: float) -> None:
    signed = signing().verify(headers(at=NOW + away), BODY)
    assert signed is not None
    assert signed.until == NOW + away + WINDOW


@pytest.mark.parametrize("away", [-WINDOW - 1, WINDOW + 1, -1e9, 1e9])
def test_what_is_further_away_is_not(away: float) -> None:
    assert signing().verify(headers(at=NOW + away), BODY) is None


def spoilt(signature: str) -> dict[str, str]:
    return {
        "in upper case": signature.upper(),
        "in upper case but for the version": "v0=" + signature[3:].upper(),
        "of another version": "v1" + signature[2:],
        "without a version": signature[3:],
        "cut": signature[:-1],
        "longer": signature + "0",
        "with a space": signature + " ",
        "twice in one": f"{signature},{signature}",
        "empty": "",
        "not ASCII": signature[:-1] + "é",
    }


@pytest.mark.parametrize("how", list(spoilt("")))
def test_a_signature_counts_only_as_slack_writes_it(how: str) -> None:
    right = headers()["X-Slack-Signature"]
    assert signing().verify(headers(signature=right), BODY)
    assert signing().verify(headers(signature=spoilt(right)[how]), BODY) is None


@pytest.mark.parametrize(
    "timestamp", ["", "0", "now", "-1", "1e9", " 1", f"{int(NOW)}.0", f"0{int(NOW)}", "9" * 5000]
)
def test_a_timestamp_is_a_plain_number_and_the_one_that_was_signed(timestamp: str) -> None:
    assert signing().verify(headers(timestamp=timestamp), BODY) is None


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
def test_a_header_counts_once(name: str) -> None:
    twice = headers()
    twice.add(name, twice[name])
    assert signing().verify(twice, BODY) is None
    without = headers()
    del without[name]
    assert signing().verify(without, BODY) is None


@pytest.mark.parametrize("body", [b"", b"text=a+wolf", BODY + b" ", b"\xff\xfe"])
def test_another_body_is_not_signed(body: bytes) -> None:
    assert signing().verify(headers(), body) is None


def test_another_secret_is_not_slacks() -> None:
    assert signing().verify(headers(secret="another"), BODY) is None


async def test_a_request_counts_once_whoever_gets_it() -> None:
    shared = FakeSignatures()
    one, other = Replays(shared, lambda: NOW), Replays(shared, lambda: NOW)
    assert await one.record(note())
    assert not await one.record(note())
    assert not await other.record(note())
    assert await other.record(note("v0=2"))


async def test_it_is_recorded_for_longer_than_it_would_be_good() -> None:
    shared = FakeSignatures()
    await Replays(shared, lambda: NOW).record(note(until=NOW + 100))
    assert 100 < shared.kept["v0=1"] < 200


async def test_what_was_not_answered_may_come_again() -> None:
    shared = FakeSignatures()
    one, other = Replays(shared, lambda: NOW), Replays(shared, lambda: NOW)
    await one.record(note())
    await one.forget(note())
    assert await other.record(note())


async def test_without_redis_a_first_request_is_taken_and_a_second_is_not() -> None:
    shared = FakeSignatures()
    shared.away = True
    replays = Replays(shared, lambda: NOW)
    assert await replays.record(note())
    assert not await replays.record(note())
    shared.away = False
    assert not await replays.record(note())


async def test_what_was_not_answered_is_forgotten_without_redis_too() -> None:
    shared = FakeSignatures()
    shared.away = True
    replays = Replays(shared, lambda: NOW)
    await replays.record(note())
    await replays.forget(note())
    assert await replays.record(note())


async def test_memory_holds_the_newest_and_not_more_than_so_many() -> None:
    shared = FakeSignatures()
    shared.away = True
    replays = Replays(shared, lambda: NOW, at_most=3)
    for n in range(10):
        assert await replays.record(note(f"v0={n}"))
    assert [await replays.record(note(f"v0={n}")) for n in (7, 8, 9)] == [False] * 3
    assert await replays.record(note("v0=0"))


async def test_memory_lets_go_of_what_is_out_of_date() -> None:
    now = NOW
    shared = FakeSignatures()
    shared.away = True
    replays = Replays(shared, lambda: now, at_most=1_000)
    for n in range(100):
        await replays.record(note(f"v0={n}"))
    assert len(replays) == 100
    now += 2 * WINDOW
    await replays.record(note("v0=new", until=now + WINDOW))
    assert len(replays) == 1
