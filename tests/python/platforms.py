"""Plays any platform of tests/fixtures/callers: each folder there has a platform.py with `request(ask)`.

As a command, for people who want to see their gateway answer before the platform is set up:

    python3 tests/python/platforms.py send KIND --to https://HOST/hooks/NAME --secret PART=ENVVAR … [WORD …]

    export SLACK_SECRET=…            # secrets come from the environment, never from the command line
    python3 tests/python/platforms.py send slack --to https://offboard.example.com/hooks/slack \
        --secret secret=SLACK_SECRET --say user=U2CERLKJA alice analytics left the company
    … --say handshake=true           # the platform's own check of the URL, where it has one
    … -- alice analytics --dry-run   # words that look like options

What is said is `[say]` of the kind's caller.toml, with the words as its `text`, and `--say KEY=VALUE` over it; the docstring
of the kind's platform.py has the keys. A value that reads as JSON is one: `true`, `{"login": "alice"}`. `--nonce` sends the
same delivery again. Kinds that encrypt or sign with more than an HMAC need the package `cryptography`.

As a server, for tests (no arguments, or `serve`): one JSON object a line on standard input,

    {"kind": "slack", "ask": {…}}                                          → what request(ask) returns
    {"kind": "wecom", "ask": {…}, "open": {"headers": […], "body": "…"}}   → the text that open_reply returns

and for each one line on standard output; `{"error": "…"}` if it cannot be done.
"""

import argparse
import importlib.util
import json
import os
import secrets
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

CALLERS = Path(__file__).resolve().parent.parent / "fixtures" / "callers"
SHOWN = ("content-type", "allow", "location", "retry-after", "x-request-id", "x-offboard-", "webhook-allowed-")
LOADED = {}


def platform(kind):
    if kind not in LOADED:
        kinds = sorted(path.parent.name for path in CALLERS.glob("*/platform.py"))
        if kind not in kinds:
            raise ValueError(f"no platform `{kind}`; there are {', '.join(kinds)}")
        spec = importlib.util.spec_from_file_location(f"platform_{kind}", CALLERS / kind / "platform.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        LOADED[kind] = module
    return LOADED[kind]


def serve():
    for line in sys.stdin:
        try:
            order = json.loads(line)
            played, ask, reply = platform(order["kind"]), order["ask"], order.get("open")
            told = played.open_reply(ask, reply["headers"], reply["body"]) if reply else played.request(ask)
        except Exception as error:  # Whatever it is, the test that asked has to hear of it.
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


def pair(text):
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"`{text}` is not KEY=VALUE")
    return key, value


def said(options):
    say = tomllib.loads((CALLERS / options.kind / "caller.toml").read_text(encoding="utf-8"))["say"]
    if options.words:
        if "text" not in say:
            sys.exit(f"{options.kind} takes no words; --say one of {', '.join(say)}, or what its platform.py documents")
        say["text"] = " ".join(options.words)
    for key, value in options.say:
        try:
            say[key] = json.loads(value)
        except ValueError:
            say[key] = value
    return say


def send(options):
    if unset := [variable for _, variable in options.secret if not os.environ.get(variable)]:
        sys.exit(f"not set in the environment: {', '.join(unset)}")
    to = urlsplit(options.to)
    caller = to.path.rpartition("/")[2]
    if not to.scheme or not to.netloc or not caller:
        sys.exit(f"`{options.to}` is not https://HOST/hooks/NAME")
    try:
        played = platform(options.kind)
    except ValueError as error:
        sys.exit(str(error))
    given = {part: os.environ[variable] for part, variable in options.secret}
    nonce = options.nonce or secrets.token_hex(8)
    ask = {"now": int(time.time()), "caller": caller, "host": to.netloc, "secret": given, "nonce": nonce}
    ask["say"] = said(options)
    try:
        made = played.request(ask)
    except KeyError as missing:
        sys.exit(f"missing, as --secret or --say: {missing}")
    # The URL may have more before `/hooks/`, which the platform's own target does not know of.
    target = made["target"].replace(f"/hooks/{caller}", to.path, 1)
    url, body = f"{to.scheme}://{to.netloc}{target}", made["body"].encode() or None
    request = urllib.request.Request(url, body, dict(made["headers"]), method=made["method"])
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            show(played, ask, answer)
    except urllib.error.HTTPError as answer:
        show(played, ask, answer)
    except urllib.error.URLError as error:
        sys.exit(f"no answer: {error.reason}")


def show(played, ask, answer):
    body = answer.read().decode(errors="replace")
    print(f"{answer.status} {answer.reason}  (nonce {ask['nonce']})")
    for name, value in answer.headers.items():
        if name.lower().startswith(SHOWN):
            print(f"{name}: {value}")
    print(f"\n{body}")
    if hasattr(played, "open_reply") and answer.status == 200:
        print(f"\nwhich is, decrypted:\n{played.open_reply(ask, list(answer.headers.items()), body)}")


def main():
    sys.dont_write_bytecode = True
    way, *rest = sys.argv[1:] or ["serve"]
    if way == "serve" and not rest:
        return serve()
    name = "platforms.py send"
    arguments = argparse.ArgumentParser(name, None, __doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("kind")
    arguments.add_argument("--to", required=True, metavar="URL")
    arguments.add_argument("--secret", type=pair, action="append", default=[], metavar="PART=ENVVAR")
    arguments.add_argument("--say", type=pair, action="append", default=[], metavar="KEY=VALUE")
    arguments.add_argument("--nonce")
    arguments.add_argument("words", nargs="*", metavar="WORD")
    return send(arguments.parse_intermixed_args(rest if way == "send" else ["--help"]))


if __name__ == "__main__":
    main()
