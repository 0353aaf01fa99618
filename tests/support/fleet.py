"""Several web and worker processes, each of which can be restarted while the others go on."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from tests.support.load_balancer import LoadBalancer
from tests.support.processes import BotProcess, World, free_port


@dataclass(eq=False)
class Member:
    """A process, and the port at which a web process listens in HTTP mode."""

    process: BotProcess
    port: int

    @property
    def command(self) -> str:
        return self.process.command


class Fleet:
    """Runs what an operator's tooling would. In HTTP mode the balancer stands before the webs."""

    def __init__(self, world: World, balancer: LoadBalancer | None, **settings: str) -> None:
        self.members: list[Member] = []
        self._world = world
        self._balancer = balancer
        self._settings = {"LOG_LEVEL": "INFO", **settings}

    async def start(self, command: str) -> Member:
        port = free_port()
        environment = {**self._world.environment, **self._settings, "PORT": str(port)}
        member = Member(BotProcess(command, environment, self._world.folder), port)
        self._world.processes.append(member.process)
        await member.process.start()
        self.members.append(member)
        if self._balances(member):
            await self._balancer.add(port)  # type: ignore[union-attr]
        return member

    async def stop(self, member: Member) -> int:
        """By SIGTERM; answers the exit code."""
        code = await member.process.stop(signal.SIGTERM, timeout=60)
        self.members.remove(member)
        if self._balances(member):
            await self._balancer.remove(member.port)  # type: ignore[union-attr]
        return code

    def _balances(self, member: Member) -> bool:
        return self._balancer is not None and member.command == "web"
