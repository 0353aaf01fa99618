"""The table, and each target with what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.programs.load.growth import Growth
from tests.programs.load.measure import Figures

Column = tuple[str, Callable[[Figures], str]]

MOST_GROWTH = 5.0
"""Kilobytes a session that count as flat: what the allocator does not give back varies more."""

COLUMNS: list[Column] = [
    ("program", lambda f: _program(f)),
    ("mode", lambda f: str(f.case["mode"])),
    ("N", lambda f: str(f.case["n"])),
    ("acked in 3 s", lambda f: f"{100 * f.acked / f.case['n']:.0f} %"),
    ("ack p50 / p99 / max, ms", lambda f: _ms(f.ack_p50, f.ack_p99, f.ack_max)),
    ("drafts", lambda f: str(f.drafts)),
    ("last ÷ ideal", lambda f: f"{f.ratio:.2f} ({f.last:.1f} ÷ {f.ideal:.1f} s)"),
    ("burst, s (machine busy)", lambda f: f"{f.burst:.1f} ({100 * f.busy:.0f} %)"),
    ("images a minute", lambda f: f"{60 * f.drafts / f.last:.0f}" if f.last else "0"),
    ("bot CPU, ms an image", lambda f: f"{f.cpu_ms:.0f}"),
    ("peak RSS, MB", lambda f: f"{f.rss_peak:.0f}"),
    ("RSS an image in flight, MB", lambda f: f"{f.rss_each:.1f} ({f.rss_each / f.image_mb:.1f} ×)"),
    ("Redis a session, kB", lambda f: f"{f.redis_kb:.0f} ({f.redis_kb_without_image:.1f})"),
    ("API calls an image", lambda f: f"{f.slack_calls:.1f} + {f.openai_calls:.1f}"),
    ("slack + openai + valkey CPU, ms", lambda f: _outside(f)),
    ("shares", lambda f: " : ".join(map(str, f.shares.values())) if f.case["workers"] > 1 else ""),
]


def table(rows: Iterable[Figures]) -> str:
    """In Markdown. Redis in brackets: without the image."""
    lines = ["| " + " | ".join(name for name, _ in COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(show(row) for _, show in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def verdicts(rows: list[Figures], growth: Growth | None) -> list[str]:
    """Each target, where it was measured: met or not, and by how much."""
    bots = [row for row in rows if row.case["subject"] == "bot"]
    one = [row for row in bots if row.case["workers"] == 1]
    said = [line for row in bots for line in _targets(row)]
    said += [_verdict("last ÷ ideal", r, r.ratio, "≤", 1.3) for r in one if r.case["n"] == 100]
    said += _linear(one)
    return said + (_flat(growth) if growth is not None else [])


def _targets(row: Figures) -> list[str]:
    n, shares = row.case["n"], row.shares.values()
    said = [_verdict("acked in 3 s, %", row, 100 * row.acked / n, "≥", 100)]
    said.append(_verdict("drafts, %", row, 100 * row.drafts / n, "≥", 100))
    said.append(
        _verdict("complaints of Slack, of OpenAI, of people", row, len(row.problems), "≤", 0)
    )
    if n == 200:
        said.append(_verdict("ack p99, ms", row, row.ack_p99 * 1000, "≤", 250))
    said.append(_verdict("bot CPU, ms an image", row, row.cpu_ms, "≤", 120))
    multiple = row.rss_each / row.image_mb
    said.append(_verdict("RSS an image in flight ÷ its size", row, multiple, "≤", 3))
    if row.case["workers"] > 1:
        said.append(_verdict("the larger share", row, max(shares, default=n) / n, "≤", 0.6))
    return said


def _flat(growth: Growth) -> list[str]:
    said = []
    for name, slope in growth.slope.items():
        state = "met" if slope <= MOST_GROWTH else "NOT MET"
        said.append(f"{state}: {name} grows by {slope:.1f} kB a session (≤ {MOST_GROWTH})")
    return said


def _verdict(what: str, row: Figures, value: float, sign: str, limit: float) -> str:
    good = value <= limit if sign == "≤" else value >= limit
    by = abs(value - limit) / (limit or 1) * 100
    where = f"{_program(row)}, {row.case['mode']}, N = {row.case['n']}"
    state = "met" if good else "NOT MET"
    return f"{state}: {what}: {value:.2f} {sign} {limit} (by {by:.0f} %; {where})"


def _linear(rows: list[Figures]) -> list[str]:
    """Cost per image at the largest N, against that at the smallest."""
    said = []
    for mode in sorted({row.case["mode"] for row in rows}):
        mine = sorted((r for r in rows if r.case["mode"] == mode), key=lambda r: r.case["n"])
        if len(mine) > 1:
            ratio = mine[-1].cpu_ms / mine[0].cpu_ms
            text = f"CPU an image, against that at N = {mine[0].case['n']}"
            said.append(_verdict(text, mine[-1], ratio, "≤", 1.25))
    return said


def _program(row: Figures) -> str:
    workers = row.case["workers"]
    return str(row.case["subject"]) + (f", {workers} workers" if workers > 1 else "")


def _ms(*seconds: float) -> str:
    return " / ".join(f"{1000 * each:.0f}" for each in seconds)


def _outside(row: Figures) -> str:
    return " + ".join(f"{row.cpu_ms_of.get(name, 0):.0f}" for name in ("slack", "openai", "valkey"))
