"""What the program has counted: in this process, or as another one tells it."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.telemetry.metrics import REGISTRY

Sample = tuple[str, frozenset[tuple[str, str]]]


class Counted:
    """What has been counted in this process since this was made."""

    def __init__(self) -> None:
        self._before = _samples()

    def of(self, name: str, /, **labels: str) -> float:
        """The increase of one series; 0 where there is none."""
        key = (name, frozenset(labels.items()))
        return _samples().get(key, 0.0) - self._before.get(key, 0.0)

    def changed(self, prefix: str) -> dict[str, float]:
        """Every series of these names that has increased, as `name label=value …`."""
        increases = ((key, value - self._before.get(key, 0.0)) for key, value in _samples().items())
        return {
            " ".join([key[0], *(f"{name}={value}" for name, value in sorted(key[1]))]): increase
            for key, increase in increases
            if increase and increase == increase and key[0].startswith(prefix)  # NaN: not known
        }


class Scrape:
    """One answer of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: dict[Sample, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def of(self, name: str, /, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    def nonzero(self, name: str) -> dict[tuple[str, ...], float]:
        """The series of this name that have counted something, by the values of their labels in
        the order of the labels' names."""
        return {
            tuple(value for _, value in sorted(labels)): counted
            for (found, labels), counted in self.samples.items()
            if found == name and counted
        }


async def scrape(port: int, accept: str = "") -> Scrape:
    _, _, text = await ask(port, "/metrics", accept)
    return Scrape(text)


async def ask(port: int, path: str, accept: str = "") -> tuple[int, str, str]:
    """The status, the type and the text of an answer."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session,
        session.get(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept}) as response,
    ):
        return response.status, response.headers["Content-Type"], await response.text()


def _samples() -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }
