# One image for every command: `python -m bot web`, `worker`, `check`, and `dev`, which keeps its
# data in /data (docker run --env-file .env -v imagine-bot:/data IMAGE python -m bot dev).
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    DATA_DIR=/data

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
EXPOSE 3000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot", "web"]
