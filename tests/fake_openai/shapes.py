"""The `Response` object and the items in it."""

from typing import TYPE_CHECKING, Any

from . import tokens
from .job import Event
from .outcomes import Outcome

if TYPE_CHECKING:
    from .response_job import ResponseJob

ECHOED = ("instructions", "max_output_tokens", "previous_response_id", "safety_identifier", "user")
CONCRETE_SIZE = "1024x1024"  # what "auto" becomes


def response(job: "ResponseJob") -> Event:
    """`openai.types.responses.Response` of a job as it stands."""
    body, ended = job.body, job.status in ("completed", "incomplete")
    value: dict[str, Any] = {
        "id": job.id,
        "object": "response",
        "created_at": job.created_at,
        "status": job.status,
        "background": job.background,
        "error": None,
        "incomplete_details": None,
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": list(job.output),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "truncation": "disabled",
        "usage": tokens.host_usage(words(job)) if ended else None,
        **{key: body.get(key) for key in ECHOED},
        **job.closing,
    }
    if ended:
        value["tool_usage"] = tokens.tool_usage(image_usage(job))
    return value


def words(job: "ResponseJob") -> int:
    """Text tokens, roughly."""
    return len(job.prompt) // 4 + 1


def image_usage(job: "ResponseJob") -> Any:
    """Tokens of the image call; zeros when there was none."""
    images = sum(item["type"] == "image_generation_call" for item in job.output)
    if not images:
        return tokens.image_usage("low", 0, 0, 0, 0)
    quality = (job.asked.tool or {}).get("quality", "auto")
    return tokens.image_usage(quality, images, job.partials, words(job), job.asked.images)


def drawing(options: Event, outcome: Outcome) -> Event:
    """The options that an image was really made with: no "auto" in the size."""
    size = options.get("size") or "auto"
    return {
        "background": options.get("background") or "auto",
        "output_format": outcome.output_format or options.get("output_format") or "png",
        "quality": options.get("quality") or "auto",
        "size": CONCRETE_SIZE if size == "auto" else size,
    }


def image_item(item_id: str, result: str, job: "ResponseJob") -> Event:
    """The finished image_generation_call.

    Its status is `FakeOpenAI.item_status`, "generating" beside a complete result unless a test says
    otherwise: a client that goes by status instead of by `result` fails here.
    """
    tool = job.asked.tool or {}
    action = tool.get("action", "auto")
    if action == "auto":
        action = "edit" if job.asked.images else "generate"
    return {
        "id": item_id,
        "type": "image_generation_call",
        "status": job.fake.item_status,
        "action": action,
        "result": result,
        "revised_prompt": job.outcome.revised_prompt or f"A detailed picture: {job.prompt}"[:1000],
        **drawing(tool, job.outcome),
    }
