"""A fake OpenAI server: the Responses API with the image tool, the Images API, the models.

Event order and shapes follow the types of openai-python 3.57; error bodies follow the API's error
format. `FakeOpenAI` checks what it sends against those types.

    async with FakeOpenAI() as fake:
        fake.script(rate_limited(1), held("image", success(partials=2)))
        ...  # OPENAI_BASE_URL=fake.base_url, OPENAI_API_KEY=fake.api_key
        await fake.until_held()
        assert fake.paid == 1
        fake.release()

Candidates of one attempt are calls side by side; they meet what is scripted in the order in which
they come in: `script(success(), moderation_400(), success())` loses one of three. An edit is told
by `fake.edits`, its words by `fake.edits[-1].text`, the images sent along by `.images`;
`fake.forget_responses()` makes the next one go by these, and `fake.cancelled` tells what was
called off.

It can be another server: `fake.plays(server, "quality", "store")` refuses these parameters in the
words and the shape of one of `SERVERS`. `cut_short()` sends a part of an image.

What the SDK's types and documents leave open, the fake decides against the client: a call that is
not in the background is gone when its client left (`keeps_abandoned`), a finished image says
status "generating" (`item_status`), a cancelled stream just ends.
"""

from .endings import (
    incomplete,
    moderation_failed_item,
    moderation_stream_error,
    refusal_in_words,
    response_failed,
    stream_error,
)
from .job import Made
from .outcomes import (
    Outcome,
    Point,
    completed_without_anything,
    connection_dropped,
    cut_short,
    ends_silently,
    hang,
    held,
    invalid_base64,
    not_an_image,
    slow,
    success,
    webp,
)
from .recording import Recorded, Upload
from .refusals import (
    background_unsupported,
    bad_request,
    billing_hard_limit_reached,
    blocked_by_firewall,
    country_not_supported,
    credit_balance_exhausted,
    insufficient_quota,
    invalid_api_key,
    limit_exceeded,
    model_not_found,
    moderation_400,
    org_not_verified,
    previous_response_not_found,
    rate_limited,
    refused,
    server_error,
    streaming_needs_partials,
    unknown_parameter,
)
from .server import FakeOpenAI
from .servers import SERVERS, Server

__all__ = [
    "SERVERS",
    "FakeOpenAI",
    "Made",
    "Outcome",
    "Point",
    "Recorded",
    "Server",
    "Upload",
    "background_unsupported",
    "bad_request",
    "billing_hard_limit_reached",
    "blocked_by_firewall",
    "completed_without_anything",
    "connection_dropped",
    "country_not_supported",
    "credit_balance_exhausted",
    "cut_short",
    "ends_silently",
    "hang",
    "held",
    "incomplete",
    "insufficient_quota",
    "invalid_api_key",
    "invalid_base64",
    "limit_exceeded",
    "model_not_found",
    "moderation_400",
    "moderation_failed_item",
    "moderation_stream_error",
    "not_an_image",
    "org_not_verified",
    "previous_response_not_found",
    "rate_limited",
    "refusal_in_words",
    "refused",
    "response_failed",
    "server_error",
    "slow",
    "stream_error",
    "streaming_needs_partials",
    "success",
    "unknown_parameter",
    "webp",
]
