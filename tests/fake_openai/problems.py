"""HTTP error answers, as the API words them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Problem:
    """One error answer: `{"error": {"message", "type", "param", "code"}}` under `status`.

    `html` is sent instead of that JSON, as a proxy in front of the API would answer; `raw` as
    another server would, JSON or a string as it is.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    moderation_details: Mapping[str, object] | None = None
    html: str | None = None
    raw: object = None

    def error(self) -> dict[str, object]:
        """The inner error object."""
        error: dict[str, object] = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        if self.moderation_details is not None:
            error["moderation_details"] = dict(self.moderation_details)
        return error

    def answer(self) -> web.Response:
        """The HTTP response."""
        if self.html is not None:
            return web.Response(
                status=self.status,
                text=self.html,
                content_type="text/html",
                headers=dict(self.headers),
            )
        if isinstance(self.raw, str):
            return web.Response(status=self.status, text=self.raw, headers=dict(self.headers))
        body = self.raw if self.raw is not None else {"error": self.error()}
        return web.json_response(body, status=self.status, headers=dict(self.headers))


class ApiError(Exception):
    """Ends a request with a `Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def invalid(message: str, param: str | None, code: str | None = "invalid_value") -> ApiError:
    """A 400 that names the parameter at fault."""
    return ApiError(Problem(400, message, code=code, param=param))


def not_found(message: str, code: str | None = None, param: str | None = None) -> ApiError:
    """A 404."""
    return ApiError(Problem(404, message, code=code, param=param))


def no_such_model(model: str, status: int = 404) -> Problem:
    """The model is unknown, or this key may not use it."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return Problem(status, message, code="model_not_found", param="model")


def no_such_previous(response_id: str, status: int = 400) -> Problem:
    """`previous_response_id` names nothing stored."""
    return Problem(
        status,
        f"Previous response with id '{response_id}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
    )
