"""Bodies, headers and bytes that are no request of Slack's, or hardly one."""

from __future__ import annotations

import time
from typing import NamedTuple

from hypothesis import strategies as st

from tests.fakes import OWNER, a_session
from tests.fuzz.payloads import TEXT, TYPED, body_of, spoilt
from tests.scenario.payloads import SECRET, click
from tests.scenario.test_http import signature

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
APPROVE = body_of(click("approve", f"{a_session().id}#2", user=OWNER))[0]
"""What would change something, were it let in."""
DEEP = 100_000

_ODD = [
    b"",
    b"payload=",
    b"payload={}&payload=[]&payload=null",
    b"payload=%7B%22type%22%3A%22block_actions%22%7D&payload=1",
    b"payload=" + b"[" * DEEP,
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b'{"type":"event_callback","event":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b"1" * 10_000,
    b"&" * 10_000,
    b"=" * 10_000,
    b"%" * 1_000,
    b"%ff=%fe&payload=%ff",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe\x00",
    b"NaN",
    b'"payload"',
    b'{"type": "event_callback", "event": null}',
    b'{"type": "event_callback", "event": {"type": null}}',
    b'{"type": 1e400}',
    b"command=/imagine",
    f"command=%2Fimagine&text={TYPED}&user_id=U1&payload=%5B".encode(),
]
BODIES = st.one_of(
    st.sampled_from(_ODD),
    st.binary(max_size=200),
    TEXT.map(lambda text: text.encode("utf-8", "replace")),
    TEXT.map(lambda text: b"payload=" + text.encode("utf-8", "replace")),
    spoilt().map(lambda payload: body_of(payload)[0]),
)
CONTENT_TYPES = st.sampled_from(
    [
        *(FORM, JSON, "text/plain", "application/json; charset=utf-16", "multipart/form-data", ""),
        *(
            "text/plain; charset=no-such",
            "application/json; charset=utf-7",
            "*/*;;;==",
            FORM.upper(),
        ),
    ]
)


class Sent(NamedTuple):
    body: bytes
    headers: tuple[tuple[str, str], ...]


def signed(body: bytes, content_type: str, secret: str = SECRET) -> Sent:
    """As Slack would, who never sends what is not UTF-8."""
    try:
        headers = signature(body, secret=secret)
    except UnicodeDecodeError:
        headers = signature(b"another", secret=secret)
    return Sent(body, (("Content-Type", content_type), *headers.items()))


_TIMES = st.one_of(
    st.sampled_from(["", "0", "now", "NaN", "-1", "1e9", "9" * 4_000, "٣", "\u00b2", "0x10"]),
    st.integers(301, 10**9).flatmap(
        lambda away: st.sampled_from([str(int(time.time()) + s * away) for s in (1, -1)])
    ),
)
_SIGNATURES = st.one_of(
    st.sampled_from(["", "v0=", "v0", "v1=00", "v0=" + "0" * 64, "v0=é", "v" * 4_000]),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=70
    ),
)


@st.composite
def forged(draw: st.DrawFn) -> Sent:
    """Something of a signed request that would count is not as Slack would have it."""
    headers = dict(signature(APPROVE))
    name, time_name = "X-Slack-Signature", "X-Slack-Request-Timestamp"
    right = headers[name]
    more: tuple[tuple[str, str], ...] = ()
    match draw(st.integers(0, 8)):
        case 0:
            headers[time_name] = draw(_TIMES)
        case 1:
            headers[name] = draw(_SIGNATURES)
        case 2:
            headers[name] = draw(
                st.sampled_from([right.upper(), right[:-1], "v1" + right[2:], right[3:], right * 2])
            )
        case 3:
            del headers[draw(st.sampled_from([name, time_name]))]
        case 4:
            twice = draw(st.sampled_from([name, time_name]))
            more = ((twice, draw(st.sampled_from([headers[twice], "", "v0=0"]))),)
        case 5:
            headers = signature(APPROVE, secret=draw(st.sampled_from(["other", SECRET + " ", "0"])))
        case 6:
            away = draw(st.integers(301, 10**8)) * draw(st.sampled_from([1, -1]))
            headers = signature(APPROVE, at=time.time() + away)
        case 7:
            headers = signature(APPROVE + b" ")
        case _:
            headers = {}
    more += (("X-Slack-Retry-Num", "1"), ("X-Slack-Bolt-Lazy-Only", "1"))[: draw(st.integers(0, 2))]
    return Sent(APPROVE, (("Content-Type", FORM), *headers.items(), *more))


_LINES = st.sampled_from(
    [
        *(b"POST /slack/events HTTP/1.1", b"POST /slack/events HTTP/9.9", b"GET / HTTP/1.1", b""),
        *(b"POST /slack/events", b"\xff\xff", b"POST /" + b"a" * 9_000 + b" HTTP/1.1", b"\x16\x03"),
        *(b"POST //../slack/events?a=%ff HTTP/1.1", b"OPTIONS * HTTP/1.1", b"PRI * HTTP/2.0"),
    ]
)
_HEADERS = st.sampled_from(
    [
        *(b"Host: a", b"Content-Length: -1", b"Content-Length: 5", b"Content-Length: x"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Content-Encoding: gzip"),
        *(
            b"X-Slack-Signature: v0=\xff",
            b"X: " + b"a" * 9_000,
            b"no colon",
            b": empty",
            b"\x00: a",
        ),
        *(b"Expect: 100-continue", b"Expect: nonsense", b"Connection: upgrade", b"Upgrade: h2c"),
        *(b"Content-Type: \xff", b"Cookie: a=b=c;;", b"Content-Length: 9" * 3, b" folded"),
    ]
)
RAW = st.builds(
    lambda line, headers, body: b"\r\n".join([line, *headers, b"", body]),
    _LINES,
    st.lists(_HEADERS, max_size=4),
    st.sampled_from([b"", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"hello", b"\x1f\x8b\x08"]),
) | st.binary(max_size=100)
