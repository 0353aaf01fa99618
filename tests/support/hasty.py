"""`python -m tests.support.hasty COMMAND`: the program with short pauses, for tests that wait for
what comes after them and not for how long they are."""

from __future__ import annotations

import sys

from bot.__main__ import main
from bot.adapters.queue import processor
from bot.flow import generate
from bot.generation import shared_provider
from bot.jobs import slack_breaker

if __name__ == "__main__":
    vars(processor)["PUT_OFF"] = 1.5
    vars(slack_breaker)["LOOK_EVERY"] = 0.5
    vars(generate)["WAIT"] = 0.3
    vars(shared_provider)["PAUSE"] = 0.3
    sys.exit(main())
