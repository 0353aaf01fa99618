"""Token counts in the shapes of `usage`, `tool_usage.image_gen` and `ImagesResponse.usage`."""

from typing import Any

IMAGE_TOKENS = {"low": 200, "medium": 433, "auto": 433, "high": 1767, "xhigh": 3500, "max": 7000}
PARTIAL_IMAGE_TOKENS = 100


def image_usage(quality: str, images: int, partials: int, words: int, inputs: int) -> Any:
    """Usage of image generation: `inputs` images and `words` text tokens in, `images` out."""
    out = images * IMAGE_TOKENS[quality] + partials * PARTIAL_IMAGE_TOKENS
    taken = {"image_tokens": 300 * inputs, "text_tokens": words}
    return {
        "input_tokens": sum(taken.values()),
        "input_tokens_details": taken,
        "output_tokens": out,
        "total_tokens": sum(taken.values()) + out,
    }


def host_usage(words: int) -> Any:
    """`Response.usage`: the host model's own tokens."""
    return {
        "input_tokens": words,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": words + 20,
    }


def tool_usage(image_gen: Any) -> Any:
    """`Response.tool_usage` around an `image_usage`."""
    out = {"image_tokens": image_gen["output_tokens"], "text_tokens": 0}
    return {
        "image_gen": {**image_gen, "output_tokens_details": out},
        "web_search": {"num_requests": 0},
    }
