"""How servers that are compatible with OpenAI refuse a parameter, in the shapes and words of real
ones: `fake.plays(server, "quality", "safety_identifier")` lets the fake be one of them.

The words are those of public reports about these servers, made general by the parameter's name and
the value that it had.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from .outcomes import Outcome
from .problems import Problem

VALUES = {"size": "1024x1024", "quality": "medium", "output_format": "png", "action": "generate"}
"""What the bot asks for where nobody chose."""


class Server(NamedTuple):
    """A kind of server. `answer` makes its body from a parameter's name and value: JSON, or a
    string that is sent as it is."""

    name: str
    status: int
    answer: Callable[[str, str], object]

    def refuses(self, name: str, value: str = "") -> Outcome:
        """The outcome of a call that has this parameter."""
        body = self.answer(name, value or VALUES.get(name, "true"))
        return Outcome(name=self.name, problem=Problem(self.status, "refused", raw=body))


def openai(message: str, **more: object) -> dict[str, object]:
    """OpenAI's shape, which most servers share."""
    known = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return {"error": {**known, **more}}


def unknown(name: str) -> dict[str, object]:
    """OpenAI's own words."""
    return openai(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def camel(name: str, first: str = "") -> str:
    """`safety_identifier` as `SafetyIdentifier`."""
    return first + "".join(part.title() for part in name.split("_"))


def violation(name: str) -> dict[str, object]:
    """Google's."""
    said = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    details = [{"@type": "google.rpc.BadRequest", "fieldViolations": [{"description": said}]}]
    return {"code": 400, "message": said, "status": "INVALID_ARGUMENT", "details": details}


def field_only(name: str) -> dict[str, object]:
    """Google's, where the message names nothing."""
    details = [{"fieldViolations": [{"field": name, "description": "Cannot find field."}]}]
    return {"code": 400, "message": "Request contains an invalid argument.", "details": details}


def pydantic(name: str, value: str, kind: str, said: str) -> str:
    """The text of a `ValidationError`."""
    return (
        f"1 validation error for ImageGenerationRequest\n{name}\n  {said} [type={kind}, "
        f"input_value='{value}', input_type=str]\n    For further information visit "
        f"https://errors.pydantic.dev/2.11/v/{kind}"
    )


def fastapi(name: str, value: str, kind: str, said: str) -> dict[str, object]:
    """FastAPI's list."""
    found = {"type": kind, "loc": ["body", name], "msg": said, "input": value}
    return {"detail": [found]}


EXTRA = "Extra inputs are not permitted"
CHOICES = "Input should be 'standard' or 'hd'"
DROP = "To drop it from the call, set `litellm.drop_params = True`."
SERDE = "Failed to deserialize the JSON body into the target type:"
KNOWN = "`model`, `prompt`, `n`, `response_format`, `user`"

SERVERS = [
    Server("openai", 400, lambda n, v: unknown(n)),
    Server(
        "openai, a value",
        400,
        lambda n, v: openai(f"Unsupported value: '{n}' does not support '{v}' with this model."),
    ),
    Server("azure, retired name", 400, lambda n, v: openai(f"'{n}' is no longer supported.")),
    Server(
        "litellm",
        400,
        lambda n, v: openai(
            f"litellm.UnsupportedParamsError: Setting `{n}` is not supported by openai, sd3.5. "
            f"{DROP}. Received Model Group=sd\nAvailable Model Group Fallbacks=None",
            type="None",
            param="None",
            code="400",
        ),
    ),
    Server(
        "litellm before azure",
        400,
        lambda n, v: openai(
            f"litellm.BadRequestError: AzureException - {json.dumps(unknown(n))}",
            param="None",
            code="400",
        ),
    ),
    Server(
        "litellm, python's error",
        500,
        lambda n, v: openai(
            f"litellm.APIConnectionError: generate() got an unexpected keyword argument '{n}'",
            code="500",
        ),
    ),
    Server(
        "openrouter",
        400,
        lambda n, v: {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": json.dumps(unknown(n)), "provider_name": "OpenAI"},
            },
            "user_id": "user_1",
        },
    ),
    Server(
        "openrouter, zod",
        400,
        lambda n, v: {
            "success": False,
            "error": {
                "name": "ZodError",
                "message": json.dumps(
                    [{"code": "unrecognized_keys", "keys": [n], "path": [], "message": "Bad key"}]
                ),
            },
        },
    ),
    Server(
        "xai",
        400,
        lambda n, v: {
            "code": "Client specified an invalid argument",
            "error": f"Argument not supported: {n}",
        },
    ),
    Server("serde", 422, lambda n, v: f"{SERDE} unknown field `{n}`, expected one of {KNOWN}"),
    Server(
        "serde, a value", 422, lambda n, v: f"{SERDE} {n}: unknown variant `{v}`, expected `hd`"
    ),
    Server("gemini", 400, lambda n, v: {"error": violation(n)}),
    Server("gemini, a list", 400, lambda n, v: [{"error": field_only(n)}]),
    Server(
        "vllm",
        400,
        lambda n, v: {
            "error": {
                "message": f"1 validation error:\n  {{'type': 'extra_forbidden', 'loc': ('body', "
                f"'{n}'), 'msg': '{EXTRA}', 'input': '{v}'}}",
                "type": "Bad Request",
                "param": None,
                "code": 400,
            }
        },
    ),
    Server(
        "vllm without a store",
        501,
        lambda n, v: openai(
            f"`{n}={v}` is not supported. Please set `{n}=False` or set "
            "`VLLM_ENABLE_RESPONSES_API_STORE=1` when starting the vLLM server."
        ),
    ),
    Server(
        "sglang",
        400,
        lambda n, v: {
            "object": "error",
            "message": f"Unsupported {n}: {v}",
            "type": "BadRequest",
            "param": None,
            "code": 400,
        },
    ),
    Server(
        "sglang, a path",
        400,
        lambda n, v: {"object": "error", "message": f"body.{n}: {CHOICES}", "code": 400},
    ),
    Server(
        "localai", 400, lambda n, v: {"error": {"code": 400, "message": f'unknown field "{n}"'}}
    ),
    Server(
        "localai, a breakdown",
        500,
        lambda n, v: {"error": {"code": 500, "message": f"rpc error: invalid value for {n}"}},
    ),
    Server(
        "localai, a type",
        400,
        lambda n, v: {
            "error": {
                "code": 400,
                "message": "failed reading parameters from request: Unmarshal type error: "
                f"expected=int, got=string, field={n}, offset=120",
            }
        },
    ),
    Server("fastapi", 422, lambda n, v: fastapi(n, v, "extra_forbidden", EXTRA)),
    Server("fastapi, a literal", 422, lambda n, v: fastapi(n, v, "literal_error", CHOICES)),
    Server(
        "fastapi, a validator",
        422,
        lambda n, v: {
            "detail": [
                {
                    "type": "value_error",
                    "loc": ["body"],
                    "msg": f"Value error, {n} is not supported for this model",
                    "input": {"model": "x", "quality": "medium", "size": "1024x1024"},
                }
            ]
        },
    ),
    Server(
        "pydantic's text",
        400,
        lambda n, v: {"detail": pydantic(n, v, "literal_error", CHOICES)},
    ),
    Server(
        "pydantic's text, unhandled",
        500,
        lambda n, v: {"detail": pydantic(n, v, "extra_forbidden", EXTRA)},
    ),
    Server(
        "diffusers",
        500,
        lambda n, v: {
            "detail": f"FluxPipeline.__call__() got an unexpected keyword argument '{n}'"
        },
    ),
    Server(
        "a traceback's end",
        500,
        lambda n, v: (
            f"Internal Server Error\nTypeError: f() got an unexpected keyword argument "
            f"'{n}'. Did you mean 'seed'?"
        ),
    ),
    Server("a builtin", 500, lambda n, v: {"error": f"'{n}' is an invalid keyword argument"}),
    Server(
        "a cause",
        500,
        lambda n, v: {
            "error": {
                "message": "Internal error",
                "type": "server_error",
                "cause": f"TypeError: create() got an unexpected keyword argument '{n}'",
            }
        },
    ),
    Server(
        "ajv",
        400,
        lambda n, v: {
            "message": "body must NOT have additional properties",
            "errors": [{"instancePath": "", "params": {"additionalProperty": n}}],
        },
    ),
    Server(
        "fastify",
        400,
        lambda n, v: {
            "statusCode": 400,
            "code": "FST_ERR_VALIDATION",
            "error": "Bad Request",
            "message": f"body/{n} must be equal to one of the allowed values",
        },
    ),
    Server(
        "spring",
        400,
        lambda n, v: {
            "status": 400,
            "error": "Bad Request",
            "message": f'JSON parse error: Unrecognized field "{n}" (3 known properties: "n")',
            "path": "/v1/images/generations",
        },
    ),
    Server(
        "asp.net",
        400,
        lambda n, v: {
            "title": "One or more validation errors occurred.",
            "errors": {f"$.{n}": ["The JSON value could not be converted."]},
        },
    ),
    Server(
        "laravel",
        422,
        lambda n, v: {"message": "The given data was invalid.", "errors": {n: ["It is invalid."]}},
    ),
    Server("django", 400, lambda n, v: {n: [f'"{v}" is not a valid choice.']}),
    Server("together", 400, lambda n, v: openai(f"Input validation: unexpected property '{n}'")),
    Server("fireworks", 400, lambda n, v: openai(f"{EXTRA}, field: '{n}', value: '{v}'")),
    Server(
        "groq", 400, lambda n, v: openai(f"property '{n}' is unsupported, did you mean 'user'?")
    ),
    Server("cerebras", 400, lambda n, v: {"message": f"property '$.{n}' is unsupported"}),
    Server(
        "dashscope",
        400,
        lambda n, v: openai(f"<400> InternalError.Algo.InvalidParameter: {n} is not supported"),
    ),
    Server(
        "volcengine",
        400,
        lambda n, v: openai(f"The parameter `{n}` specified in the request is not valid: no"),
    ),
    Server(
        "bedrock",
        400,
        lambda n, v: {
            "message": f"Malformed input request: #: extraneous key [{n}] is not permitted"
        },
    ),
    Server(
        "new-api",
        400,
        lambda n, v: openai(f"{n} must be one of standard, hd, got {v}", type="new_api_error"),
    ),
    Server(
        "siliconflow", 400, lambda n, v: {"code": 20015, "message": f"参数{n}无效", "data": None}
    ),
    Server("a code", 400, lambda n, v: openai("Bad request.", code=f"Unsupported{camel(n)}")),
    Server("another tongue", 400, lambda n, v: openai(f"不支持的参数: {n}")),
    Server("json:api", 400, lambda n, v: {"errors": [{"source": {"pointer": f"/data/{n}"}}]}),
    Server(
        "rfc 9457",
        400,
        lambda n, v: {"title": "Bad", "invalid-params": [{"name": n, "reason": "unknown"}]},
    ),
    Server(
        "fields by name",
        400,
        lambda n, v: {"error": {"type": "validation_error", "fields": {n: "is not allowed"}}},
    ),
    Server(
        "a list as a text",
        422,
        lambda n, v: {"detail": f"[{{'type': 'x', 'loc': ('body', '{n}'), 'msg': 'no'}}]"},
    ),
    Server("a page", 400, lambda n, v: f"<html><p>Unsupported parameter: {n}</p></html>"),
    Server("no such thing", 404, lambda n, v: openai(f"Parameter {n} not found")),
    Server(
        "what it takes",
        400,
        lambda n, v: openai(
            f"Unexpected field {n}. Allowed fields: model, prompt, size, quality, background"
        ),
    ),
    Server(
        "one-api",
        400,
        lambda n, v: openai(
            f"Unknown parameter: '{n}'.", type="upstream_error", param="", code="upstream_error"
        ),
    ),
    Server(
        "dashscope, a code",
        400,
        lambda n, v: {"code": "InternalError.Algo.InvalidParameter", "message": f"{n} is invalid"},
    ),
    Server("rails", 422, lambda n, v: {"error": f"found unpermitted parameter: :{n}"}),
    Server(
        "pydantic 1's text",
        422,
        lambda n, v: {"detail": f"1 validation error for Request\nbody -> {n}\n  {EXTRA.lower()}"},
    ),
    Server(
        "twice",
        500,
        lambda n, v: {"detail": f"generate() got multiple values for keyword argument '{n}'"},
    ),
    Server("no field", 500, lambda n, v: {"detail": f'"Request" object has no field "{n}"'}),
    Server("french", 400, lambda n, v: openai(f"Le paramètre « {n} » n'est pas pris en charge.")),
    Server("japanese", 422, lambda n, v: openai(f"パラメータ「{n}」はサポートされていません")),
    Server("turned off", 400, lambda n, v: openai(f"{n} is disabled on this server")),
    Server("a colon", 400, lambda n, v: openai(f"Parameters not recognized by this model: {n}")),
    Server("in the answer", 200, lambda n, v: openai(f"Unknown parameter: '{n}'.")),
    Server("not for you", 403, lambda n, v: openai(f"The parameter '{n}' is not allowed here.")),
    Server("a gateway", 502, lambda n, v: {"message": f"upstream: unsupported parameter {n}"}),
]
