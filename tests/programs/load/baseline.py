"""`python -m tests.programs.load.baseline`: the bot as Bolt's documentation has it.

A synchronous `App` whose listener acks and then generates, uploads and posts. Over Socket Mode by
`SocketModeHandler`, over HTTP by Bolt's WSGI adapter on a server with a thread for each request.
It keeps nothing: what runs when the process ends is lost.
"""

from __future__ import annotations

import argparse
import base64
import os
import socketserver
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from openai import OpenAI
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

Json = dict[str, Any]

openai = OpenAI(max_retries=0, timeout=600.0)


def imagine(ack: Ack, command: Json, client: WebClient) -> None:
    """`/imagine`: from the command to the draft, in one go."""
    ack()
    prompt, channel = command["text"], command["channel_id"]
    root = client.chat_postMessage(
        channel=channel, text=f"<@{command['user_id']}> imagines: {prompt}"
    )
    response = openai.responses.create(
        model="gpt-5.6-luna",
        input=prompt,
        tools=[{"type": "image_generation", "model": "gpt-image-2.5-flare", "size": "1024x1024"}],
        tool_choice={"type": "image_generation"},
    )
    results = [item.result for item in response.output if item.type == "image_generation_call"]
    uploaded = client.files_upload_v2(
        content=base64.b64decode(results[0] or ""), filename="image.png", title=prompt
    )
    client.chat_postMessage(
        channel=channel,
        thread_ts=root["ts"],
        text=prompt,
        blocks=[_image(uploaded["file"]["id"], prompt), _actions("Approve", uploaded, prompt)],
    )


def approve(ack: Ack, body: Json, client: WebClient) -> None:
    """*Approve*: the image to the channel."""
    ack()
    file_id = body["actions"][0]["value"]
    client.chat_postMessage(
        channel=body["channel"]["id"],
        thread_ts=body["message"]["thread_ts"],
        reply_broadcast=True,
        text="Approved",
        blocks=[_image(file_id, "Approved"), _actions("Start over", None, "")],
    )


def _image(file_id: str, alt_text: str) -> Json:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text}


def _actions(words: str, uploaded: Any, prompt: str) -> Json:
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": words},
        "action_id": words.lower().replace(" ", "_"),
        "value": uploaded["file"]["id"] if uploaded else "-",
    }
    return {"type": "actions", "elements": [button]}


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 1024


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.baseline", description=__doc__
    )
    parser.add_argument("--pool", type=int, default=0, help="threads; 0: Bolt's default")
    parser.add_argument("--port", type=int, default=0, help="HTTP; 0: Socket Mode")
    given = parser.parse_args()
    client = WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    client.proxy = None
    pool = ThreadPoolExecutor(given.pool) if given.pool else None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    app = App(client=client, signing_secret=secret, listener_executor=pool)
    app.command("/imagine")(imagine)
    app.action("approve")(approve)
    if given.port:
        server = _Server(("127.0.0.1", given.port), _Silent)
        server.set_app(SlackRequestHandler(app))
        _say_ready()
        server.serve_forever()
    handler = SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    handler.connect()  # type: ignore[no-untyped-call]
    _say_ready()
    threading.Event().wait()


def _say_ready() -> None:
    sys.stderr.write("ready as the baseline\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
