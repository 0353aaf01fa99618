"""What processes use, from /proc."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
EVERY = 0.05
"""Seconds between two samples."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory(pid: int, what: str = "VmRSS") -> float:
    """Megabytes; `VmHWM` is the peak since `forget_peak`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024 / 1e6
    raise KeyError(what)


def forget_peak(pid: int) -> None:
    """Let `VmHWM` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@dataclass
class Usage:
    """Of named processes, from `begin` on: CPU seconds and megabytes."""

    pids: dict[str, int]
    cpu_before: dict[str, float] = field(default_factory=dict)
    rss_before: dict[str, float] = field(default_factory=dict)
    samples: list[tuple[float, float]] = field(default_factory=list)

    def begin(self) -> None:
        for name, pid in self.pids.items():
            forget_peak(pid)
            self.cpu_before[name], self.rss_before[name] = cpu_seconds(pid), memory(pid)

    def cpu(self, name: str) -> float:
        return cpu_seconds(self.pids[name]) - self.cpu_before[name]

    def peak(self, name: str) -> float:
        return memory(self.pids[name], "VmHWM")

    def busy(self, since: float, until: float) -> float:
        """The share of all processors that the processes used between two times."""
        inside = [sample for sample in self.samples if since <= sample[0] <= until]
        if len(inside) < 2:
            return 0.0
        (began, before), (ended, after) = inside[0], inside[-1]
        return (after - before) / ((ended - began) * (os.cpu_count() or 1))

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Sample the sum of CPU seconds while the body runs."""
        sampler = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            sampler.cancel()

    async def _sample(self) -> None:
        while True:
            self.samples.append((time.time(), sum(map(cpu_seconds, self.pids.values()))))
            await asyncio.sleep(EVERY)
