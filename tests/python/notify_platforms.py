"""Plays the platforms that messages to approvers go to: each of notify_kinds/, on a local port of its own.

On standard input, one JSON object a line opens a platform,

    {"kind": "slack", "now": 1780308000, "access_key": "…", "secret_key": "…"}

and one line on standard output says where it is and what `[[notify]]` needs for it:

    {"port": 40001, "origins": ["https://slack.com"], "keys": {"token": "notify_token", …}, "variables": {…}}

Requests for its origins come in with their own `Host`. Those with another `Host` are the test's:

    POST /now     seconds since 1970         the time by which timestamps are judged
    POST /next    ["busy", "hang-up"]        what is done with the next requests, one each; then each is taken
    GET  /seen                               what people see, what was sent, and what was wrong with it
    GET  /arrived?count=2                    answered when so many requests have arrived
    POST /release                            ends every `hold`

What can be done with a request: `take`, any of the platform's `ANSWERS` (nothing is shown then), `hang-up` (taken, and the connection ends
without an answer), `hold` (taken, and not answered before `release`).

The process ends with its standard input.
"""

import copy
import json
import sys
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from notify_kinds import PLATFORMS
from notify_kinds.platform import Refused, Request

# Longer than any test waits.
PATIENCE = 90


class Stage:
    """A platform, and what the test says about it."""

    def __init__(self, kind, now, **given):
        self.now = now
        self.platform = PLATFORMS[kind](lambda: self.now, **given)
        self.hosts = {urlsplit(origin).netloc for origin in self.platform.ORIGINS}
        self.next, self.sent, self.problems = deque(), [], []
        self.changed, self.released = threading.Condition(), threading.Event()

    def receive(self, request):
        """Returns the answer, which may be `None`, and whether it is held."""
        with self.changed:
            act = self.next.popleft() if self.next else "take"
            self.sent.append({"act": act, "method": request.method, "target": request.target, "body": request.body.decode()})
            answer = self.platform.ANSWERS.get(act)
            # What is refused anyway has to be right all the same.
            platform = copy.deepcopy(self.platform) if answer else self.platform
            try:
                taken = platform.take(request)
            except Refused as refused:
                self.problems.append(f"{request.method} {request.target}: {refused}")
                taken = refused.answer
            self.changed.notify_all()
        return (None if act == "hang-up" else answer or taken), act == "hold"

    def arrived(self, count):
        with self.changed:
            self.changed.wait_for(lambda: len(self.sent) >= count, PATIENCE)
            return len(self.sent)

    def ask(self, path, query, body):
        """What the test asks."""
        match path:
            case "/now":
                self.now = body
            case "/next":
                if unknown := set(body) - {"take", "hang-up", "hold"} - set(self.platform.ANSWERS):
                    raise ValueError(f"no answer {unknown}")
                self.next.extend(body)
            case "/arrived":
                return self.arrived(int(query.partition("=")[2]))
            case "/release":
                self.released.set()
                self.released = threading.Event()
            case "/seen":
                with self.changed:
                    return {"messages": self.platform.messages, "sent": self.sent, "problems": self.problems}
            case _:
                raise ValueError(path)
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write an answer: the head and the body apart would wait for each other.
    wbufsize = -1

    def handle_request(self):
        stage = self.server.stage
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            if self.headers["host"].removesuffix(":443") in stage.hosts:
                headers = {name.lower(): value for name, value in self.headers.items()}
                released = stage.released
                answer, is_held = stage.receive(Request(self.command, self.path, headers, body))
                if is_held:
                    released.wait(PATIENCE)
            else:
                asked = urlsplit(self.path)
                told = stage.ask(asked.path, asked.query, json.loads(body or "null"))
                return self.write(200, {}, told)
        except Exception as error:  # Whatever it is, the test has to hear of it.
            stage.problems.append(f"{type(error).__name__}: {error}")
            return self.write(599, {}, str(error))
        if answer is None:
            self.close_connection = True
            return None
        return self.write(answer.status, answer.headers, answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = handle_request

    def write(self, status, headers, body):
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(b"" if status == 204 else content)
            self.wfile.flush()
        except OSError:
            # The client did not wait.
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that left is none of the test's business."""


def main():
    for line in sys.stdin:
        try:
            stage = Stage(**json.loads(line))
            server = Server(("127.0.0.1", 0), Handler)
            server.stage = stage
            threading.Thread(target=server.serve_forever, daemon=True).start()
            platform = stage.platform
            told = {"port": server.server_port, "origins": platform.ORIGINS, "keys": platform.KEYS}
            told["variables"] = platform.VARIABLES | platform.HOSTS
        except Exception as error:  # Whatever it is, the test that asked has to hear of it.
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
