"""Whether the books say what the provider charged."""

from __future__ import annotations

from collections import Counter, defaultdict

from bot.jobs.hold_sweeper import INTERVAL, QUIET_FOR
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.ledger_book import Line

_OLDEST = QUIET_FOR + INTERVAL + 20.0
"""Seconds after which a sweep has looked at a hold, on a machine that has too much to do."""
_SILENT = ("connection_dropped", "ends_silently", "hang")
"""Outcomes of the provider's that tell nothing."""


def measured_is_what_was_charged(evidence: Evidence) -> list[Finding]:
    """Each measured line is a charge of the provider's, to the micro-dollar."""
    found = []
    charged = _charged(evidence)
    for word, lines in _by_word(evidence).items():
        measured = Counter(line.micro for line in lines if line.state == "measured")
        for micro in (measured - charged[word]).elements():
            what = f"{micro} micro-dollars are measured for {word}, and were not charged"
            found.append(Finding("measured_is_what_was_charged", what, lines[0].session))
    return found


def what_was_charged_has_a_line(evidence: Evidence) -> list[Finding]:
    """Each charge has its measured line, or an estimated one where its answer was lost."""
    found = []
    lines = _by_word(evidence)
    for word, charged in _charged(evidence).items():
        mine = lines.get(word, [])
        measured = Counter(line.micro for line in mine if line.state == "measured")
        estimated = sum(line.state == "estimated" for line in mine)
        if (lost := (charged - measured).total()) > estimated:
            what = f"{lost} charges for {word} have {estimated} estimated lines"
            session = mine[0].session if mine else ""
            found.append(Finding("what_was_charged_has_a_line", what, session))
    return found


def an_estimate_is_a_lost_answer(evidence: Evidence) -> list[Finding]:
    """A call that was not charged is estimated only where something kept its answer away."""
    found = []
    charged = _charged(evidence)
    for word, lines in _by_word(evidence).items():
        measured = Counter(line.micro for line in lines if line.state == "measured")
        lost = (charged[word] - measured).total()
        for line in [line for line in lines if line.state == "estimated"][lost:]:
            what = f"{line.id} is estimated, and nothing was charged"
            cause = _why_lost(evidence, word, line, len(lines))
            found.append(Finding("an_estimate_is_a_lost_answer", what, line.session, cause))
    return found


def a_call_has_one_line(evidence: Evidence) -> list[Finding]:
    """But for a measured one in the place of its estimate."""
    states = defaultdict(list)
    for line in evidence.ledger.lines:
        states[line.id].append(line.state)
    lawful = (["measured"], ["estimated"], ["estimated", "measured"])
    return [
        Finding("a_call_has_one_line", f"{id_}: {', '.join(said)}")
        for id_, said in states.items()
        if said not in lawful
    ]


def a_line_is_of_who_asked(evidence: Evidence) -> list[Finding]:
    """As the record has it. A call that nobody asked for is told by `record_stands`."""
    asked = defaultdict(set)
    for told in evidence.record.lines:
        if told.kind == "asked":
            asked[told.session, told.attempt].add(told.person)
    found = []
    for line in evidence.ledger.last_lines:
        number = int(line.image.rsplit(".", 2)[1])
        people = asked[line.session.split(".", 2)[-1], number]
        if people and line.user not in people:
            what = f"{line.id} is paid for by {line.user}, not by {', '.join(people)}"
            found.append(Finding("a_line_is_of_who_asked", what, line.session))
    return found


def counters_are_the_lines(evidence: Evidence) -> list[Finding]:
    """What counts against limits is what the ledger says."""
    ledger, spent, images = evidence.ledger, Counter[str](), defaultdict(set)
    for line in ledger.last_lines:
        for name in (f"user:{line.user}", f"channel:{line.channel}", "workspace"):
            spent[name] += line.micro
        images[line.user].add(line.image)
    asked = Counter({user: len(each) for user, each in images.items()})
    return [
        Finding("counters_are_the_lines", f"{name} counts {counted[name]}, not {right[name]}")
        for counted, right in ((ledger.spent, spent), (ledger.asked, asked))
        for name in counted.keys() | right.keys()
        if counted[name] != right[name]
    ]


def no_hold_is_left(evidence: Evidence) -> list[Finding]:
    """Nothing is held for longer than the sweep takes, and nothing that it does not settle."""
    ledger, name = evidence.ledger, "no_hold_is_left"
    found = [
        Finding(name, f"{id_} is held for {age:.0f} s", id_.rsplit(".", 3)[0])
        for id_, age in ledger.hold_ages.items()
        if age > _OLDEST
    ]
    return found + [Finding(name, f"no sweep settles {id_}") for id_ in ledger.holds]


def _by_word(evidence: Evidence) -> dict[str, list[Line]]:
    """The last line of each call, by the word of the visit."""
    found = defaultdict(list)
    for line in evidence.ledger.last_lines:
        found[evidence.words.get(line.session, "")].append(line)
    return found


def _charged(evidence: Evidence) -> defaultdict[str, Counter[int]]:
    """Micro-dollars of each charge, by the word of the visit."""
    words = {asked.response_id: asked.word for asked in evidence.asked}
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for charge in evidence.charged:
        found[words.get(charge.job_id, "")][charge.micro] += 1
    return found


def _why_lost(evidence: Evidence, word: str, line: Line, calls: int) -> str:
    """What kept the answer of one of the visit's calls away, before the line was written. Of more
    `calls` than came to the provider, one was lost on its way there, whenever it was made."""
    asked = [each for each in evidence.asked if each.word == word]
    paid = {charge.job_id for charge in evidence.charged}
    unpaid = [each.outcome for each in asked if each.response_id not in paid]
    if any(outcome.startswith(_SILENT) for outcome in unpaid):
        return "the provider dropped the connection"
    if any(act.facts.get("visit") == word for act in evidence.acts("Cancel")):
        return "cancelled while the provider may have worked on it"
    begun = [each.at for each in asked]
    if calls > len(asked):
        begun = [act.at for act in evidence.acts() if act.facts.get("visit") == word]
    since = min(begun, default=line.at - _OLDEST) - 5.0
    for fault in evidence.journal.during(since, line.at, "fault"):
        target = str(fault.facts.get("target", ""))
        deadly = fault.what in {"kill", "term", "restart redis", "freeze redis"}
        if deadly or fault.what.startswith("step") or target.startswith("worker"):
            return f"{fault.what}, {target}"
    return ""
