"""Why Redis could not be asked, in plain words. No exception's text: it can name a password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from bot.ops.doctor.finding import Finding, Verdict

WHAT = "REDIS_URL"


def trouble(error: BaseException, *, tls: bool) -> Finding:
    """`tls`: whether the URL asks for it."""
    for each in _causes(error):
        if finding := _of_tls(each, tls=tls) or _of_redis(each):
            return finding
    text = f"Redis does not answer ({type(error).__name__})"
    advice = (
        "check that the server runs, speaks TLS at this port, and asks for no client certificate"
        if tls
        else "check REDIS_URL (rediss:// for TLS) and that the server runs"
    )
    return Finding(WHAT, Verdict.PASSING, text, advice)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """redis-py packs everything that breaks a connection into errors of its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_tls(error: BaseException, *, tls: bool) -> Finding | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"Redis's certificate is not trusted ({error.verify_message})"
        return Finding(WHAT, Verdict.WRONG, text, "name its CA in the URL: ?ssl_ca_certs=/ca.pem")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or type(error).__name__
        if "CERTIFICATE_REQUIRED" in reason:
            advice = "name one in the URL: ?ssl_certfile=/client.pem&ssl_keyfile=/client.key"
            return Finding(WHAT, Verdict.WRONG, "Redis asks for a client certificate", advice)
        advice = (
            "check that this is its TLS port, and the files in the URL; redis:// is without TLS"
        )
        return Finding(WHAT, Verdict.WRONG, f"TLS with Redis fails ({reason})", advice)
    if tls and isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
        text = f"a file that the URL names cannot be read ({type(error).__name__})"
        return Finding(WHAT, Verdict.WRONG, text, "check ssl_ca_certs, ssl_certfile, ssl_keyfile")
    return None


def _of_redis(error: BaseException) -> Finding | None:
    if isinstance(error, ResponseError) and "unknown command" in str(error).lower():
        text = "Redis does not know HELLO: it is older than 6.0, or behind a proxy"
        return Finding(WHAT, Verdict.WRONG, text, "use 6.2 or newer, without a proxy before it")
    if isinstance(error, (AuthenticationError, NoPermissionError, ResponseError)):
        text = f"Redis refuses ({type(error).__name__})"
        return Finding(WHAT, Verdict.WRONG, text, "check user and password in REDIS_URL")
    if isinstance(error, MasterNotFoundError):
        text = "no Sentinel that answers names a primary for this service"
        advice = "check hosts and service: redis+sentinel://host:26379/service"
        return Finding(WHAT, Verdict.PASSING, text, advice)
    return None
