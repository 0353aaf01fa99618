"""Keeps other sites out: their pages can neither drive the workspace nor read it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX = "/page/"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what doesn't come from this page, or from a program on this machine."""
    problem = refusal(request)
    return web.Response(status=403, text=problem) if problem else await handler(request)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer, errors included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def refusal(request: web.Request) -> str | None:
    """Why a request isn't answered; None where it is.

    A foreign name in `Host` is a site that had its name point here. Browsers send `Origin` with
    every POST and WebSocket, programs don't: the bot's own calls have none.
    """
    host = request.headers.get("Host", "")
    if host not in _own_hosts(request):
        return "unknown host"
    origin = request.headers.get("Origin")
    acts = request.method != "GET" or "Upgrade" in request.headers
    if origin is None:
        return "no origin" if acts and request.path.startswith(PREFIX) else None
    return None if origin == f"http://{host}" else "foreign origin"


def _own_hosts(request: web.Request) -> set[str]:
    if request.transport is None:
        return set()
    port = request.transport.get_extra_info("sockname")[1]
    return {f"127.0.0.1:{port}", f"localhost:{port}"}
