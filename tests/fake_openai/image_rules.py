"""What `POST /v1/images/generations` and `/edits` take, by the SDK's parameter types."""

from typing import TYPE_CHECKING, Any

from openai.types import image_edit_params, image_generate_params

from . import rules
from .pictures import mime_type
from .problems import ApiError, Problem, invalid
from .recording import Upload

if TYPE_CHECKING:
    from .provider import Provider

LEGACY = ("response_format", "style")
FILE_TYPES = ("image/png", "image/jpeg", "image/webp")
MAX_FILE = 50 * 2**20
FORM_NUMBERS = ("n", "partial_images", "output_compression", "frame_count", "frame_duration_ms")


def check_generate(fake: "Provider", body: dict[str, Any]) -> None:
    """400/404 unless the body is right."""
    params = image_generate_params.ImageGenerateParamsBase
    rules.check_keys(params, body, skip=frozenset({"stream"}))
    check(fake, body)


def check_edit(fake: "Provider", body: dict[str, Any], uploads: list[Upload]) -> None:
    """The same for a form: `image` or `image[]` up to 16 times, one `mask`."""
    params = image_edit_params.ImageEditParamsBase
    fields = {upload.field.removesuffix("[]"): True for upload in uploads}
    rules.check_keys(params, body | fields, skip=frozenset({"stream", *fields}))
    if fields.keys() - {"image", "mask", "markup"}:
        raise invalid("Unknown file field.", sorted(fields)[0], "unknown_parameter")
    if sum(upload.field.startswith("image") for upload in uploads) > 16:
        raise invalid("At most 16 images.", "image")
    if not any(upload.field.startswith("image") for upload in uploads):
        message = "Missing required parameter: 'image'."
        raise invalid(message, "image", "missing_required_parameter")
    for upload in uploads:
        check_file(upload)
    check(fake, body)


def check_file(upload: Upload) -> None:
    """PNG, JPEG or WebP, under 50 MB, and what its type and its name say."""
    said, ending = upload.content_type, upload.filename.rpartition(".")[2].lower()
    if said not in FILE_TYPES or f"image/{ending.replace('jpg', 'jpeg')}" != said:
        message = f"Invalid file '{upload.field}': unsupported mimetype ('{said}')."
        raise invalid(message, upload.field, "unsupported_file_mimetype")
    if upload.size >= MAX_FILE:
        raise invalid("Image file too large.", upload.field, "image_file_too_large")
    if mime_type(upload.data) != said:
        message = "Invalid image file or mode for image, please check your image file."
        raise ApiError(Problem(400, message, code="invalid_image_file", param=upload.field))


def check(fake: "Provider", body: dict[str, Any]) -> None:
    """What both have."""
    model = body.get("model")
    if model is None:
        raise invalid("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    rules.check_model(fake, model, "model", image=True)
    for key in LEGACY:
        if key in body and rules.is_image_model(model):
            raise invalid(f"Unknown parameter: '{key}'.", key, "unknown_parameter")
    if not isinstance(body.get("stream", False), bool | None):
        raise invalid("Invalid type for 'stream'.", "stream", "invalid_type")
    if not 1 <= (1 if body.get("n") is None else body["n"]) <= 10:
        raise invalid("n must be from 1 to 10.", "n")
    rules.check_prompt(body.get("prompt"), "prompt")
    rules.check_identity(body)
    if body.get("quality") in ("standard", "hd"):
        raise invalid("Invalid value for 'quality'.", "quality")
    rules.check_drawing(body, model)


def typed(form: dict[str, str]) -> dict[str, Any]:
    """Form fields as the JSON values they stand for."""
    values: dict[str, Any] = dict(form)
    for key in FORM_NUMBERS:
        if form.get(key, "").isdigit():
            values[key] = int(form[key])
    if form.get("stream") in ("true", "false"):
        values["stream"] = form["stream"] == "true"
    return values
