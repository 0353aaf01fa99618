# One image for every command: `python -m bot web`, `worker`, `check`, and `dev`, which keeps its
# data in /data (docker run --env-file .env -v imagine-bot:/data IMAGE python -m bot dev).
# A worker needs longer to stop than an engine gives it: docker run --stop-timeout 40.
FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    DATA_DIR=/data \
    HEALTH_PORT=8080

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 bot \
    && useradd --uid 10001 --gid bot --no-create-home --home-dir /app --shell /usr/sbin/nologin bot \
    && install --directory --owner bot --group bot /data

WORKDIR /app

COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements.txt

COPY bot ./bot
RUN python -m compileall -q bot

USER 10001:10001
# 3000: Slack's requests in HTTP mode. 8080: /healthz, /readyz and /metrics, for nobody outside.
EXPOSE 3000 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=45s --retries=3 \
    CMD ["python", "-c", "from os import environ; from urllib.request import ProxyHandler, build_opener as to; to(ProxyHandler({})).open(f'http://127.0.0.1:{environ[\"HEALTH_PORT\"]}/healthz', timeout=4)"]
CMD ["python", "-m", "bot", "web"]
