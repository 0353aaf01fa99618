"""What people type, and sessions with it in them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.options import Options
from bot.domain.prompt import clean_prompt
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from tests.fakes import a_session
from tests.unit.views.samples import HOSTILE, with_prompt

PIECES = st.sampled_from(
    [
        *(
            "<!channel>",
            "<!here|x>",
            "<@U7>",
            "<#C7|a>",
            "<https://x.test|y>",
            "<mailto:a@b>",
            "&lt;",
        ),
        *(
            "--ar 16:9",
            "--n 3",
            "—size wide",
            "--",
            "---n",
            "–q=high",
            "--transparent",
            "-- n",
            "—",
        ),
        *("```", "`", "*", "\n", "\r\n", "\u2028", "\x00", "\u202e", "👩‍🚀", "&amp;", ">", HOSTILE),
    ]
)
TYPED = st.lists(PIECES | st.text(max_size=20), max_size=8).map(" ".join)
"""Whole characters, as they come from Slack."""


def _kept(text: str) -> str:
    try:
        return clean_prompt(text)
    except Refusal:
        return "a fox"


PROMPTS = TYPED.map(_kept)

_FACTS = st.text(max_size=8)
_TIMES = st.floats(0, 2e9)
_KINDS = st.none() | st.sampled_from(FailureKind)
_CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 4),
        response_id=_FACTS,
        revised_prompt=TYPED,
        width=st.integers(0, 4_000),
        file_id=_FACTS,
        failure=_KINDS,
    ),
    max_size=4,
).map(tuple)
OPTION_VALUES = st.builds(
    Options,
    size=_FACTS,
    quality=_FACTS,
    background=_FACTS,
    count=st.integers(0, 4),
)
_REFS = st.none() | st.builds(ImageRef, st.integers(0, 9), st.integers(1, 4))
_ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        st.integers(1, 9),
        TYPED,
        OPTION_VALUES,
        change=TYPED,
        base=_REFS,
        idempotency_key=_FACTS,
        queued_at=_TIMES,
        candidates=_CANDIDATES,
        as_file=st.booleans(),
        message_ts=_FACTS,
        failure=_KINDS,
        cancel_shown=st.booleans(),
    ),
    max_size=4,
).map(tuple)
ANY_SESSIONS = st.builds(
    Session,
    *(st.text(min_size=1, max_size=9) for _ in range(4)),
    st.sampled_from(Stage),
    task_input=TYPED,
    error_message=TYPED,
    final_result=st.integers(0, 4),
    publication=st.sampled_from(Publication),
    final_ts=_FACTS,
    options=OPTION_VALUES,
    source=st.none() | st.builds(Source, _FACTS, _FACTS, st.integers(0)),
    attempts=_ATTEMPTS,
    created_at=_TIMES,
    version=st.integers(0),
)
"""Of the right types, and otherwise anything at all."""


@st.composite
def shown_sessions(draw: st.DrawFn) -> Session:
    """One that people see, with what somebody typed as its prompt and as its change."""
    stage = draw(st.sampled_from([s for s in Stage if s is not Stage.INITIAL_INPUT]))
    session = a_session(stage, attempts=draw(st.integers(1, 3)))
    changed = tuple(
        replace(attempt, change="c", base=ImageRef(attempt.number - 1))
        for attempt in session.attempts
    )
    return with_prompt(replace(session, attempts=changed), draw(PROMPTS))
