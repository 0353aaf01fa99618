"""`/v1/models`."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .problems import ApiError, no_such_model

if TYPE_CHECKING:
    from .provider import Provider

DEFAULT_MODELS: dict[str, dict[str, Any]] = {
    "gpt-5.6-luna": {},
    "gpt-image-2.5-flare": {},
    "gpt-image-2.6-flare": {},
    "gpt-image-2.6-sunburst": {},
    "gpt-image-1.5": {"shutdown_date": "2026-12-01"},
}


class ModelsApi:
    """The handlers."""

    def __init__(self, fake: "Provider") -> None:
        self.fake = fake

    def routes(self) -> list[web.RouteDef]:
        """Paths and handlers."""
        return [web.get("/v1/models", self.all), web.get("/v1/models/{id}", self.one)]

    def model(self, name: str) -> dict[str, Any]:
        """`openai.types.Model`; `image` in `fake.models` is the fake's own and not told."""
        extra = {key: value for key, value in self.fake.models[name].items() if key != "image"}
        known = {"id": name, "object": "model", "created": 1790000000, "owned_by": "system"}
        value = {**known, "shutdown_date": None, **extra}
        self.fake.check("model", value)
        return value

    async def all(self, request: web.Request) -> web.Response:
        """Every model."""
        await self.fake.admit_read(request)
        data = [self.model(name) for name in self.fake.models]
        return web.json_response({"object": "list", "data": data})

    async def one(self, request: web.Request) -> web.Response:
        """One model, or 404."""
        await self.fake.admit_read(request)
        name = request.match_info["id"]
        if name not in self.fake.models:
            raise ApiError(no_such_model(name))
        return web.json_response(self.model(name))
