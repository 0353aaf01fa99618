"""Whatever Slack delivers, or somebody who pretends to be a person in Slack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.fuzz.bench import Bench, bench
from tests.fuzz.payloads import body_of, spoilt, user_of
from tests.scenario.payloads import Payload
from tests.support.hypotheses import TIMEOUT, examples

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.fixture(scope="module")
def web() -> Iterator[Bench]:
    with bench() as made:
        yield made


@settings(max_examples=examples(8))
@given(payload=spoilt())
def test_any_request_is_answered_and_changes_only_what_it_may(web: Bench, payload: Payload) -> None:
    web.reset()
    web.check(web.send(*body_of(payload)))
    web.check_changes(by=user_of(payload))
    web.check_alive()
