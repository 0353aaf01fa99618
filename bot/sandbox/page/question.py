"""A question to whoever runs the workspace, which every page shows until it is answered."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Question:
    """`options`: what is answered → its button's words. The first answer counts."""

    words: str
    options: dict[str, str]
    _answer: asyncio.Future[str] = field(default_factory=asyncio.Future)

    def answer(self, value: str) -> None:
        """Raises KeyError for what is no option."""
        self.options[value]
        if not self._answer.done():
            self._answer.set_result(value)

    async def wait(self) -> str:
        return await asyncio.shield(self._answer)

    def to_json(self) -> dict[str, Any]:
        return {"words": self.words, "options": self.options}
