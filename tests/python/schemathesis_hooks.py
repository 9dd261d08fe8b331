"""Proves the requests that schemathesis makes: writes with an access key, reads with a token of an identity provider, SCIM and hooks
with their own secrets. `OFFBOARD_SECRETS` has them, as JSON."""

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import requests.auth
import schemathesis

sys.path.insert(0, str(Path(__file__).resolve().parent))
import platforms  # noqa: E402

SECRETS = json.loads(os.environ["OFFBOARD_SECRETS"])


def token():
    key, now = SECRETS["token"], int(time.time())
    claims = {**key["claims"], "iat": now, "exp": now + 300}
    return "Bearer " + jwt.encode(claims, key["key"], "EdDSA", {"kid": key["kid"]})


def ask(request, secret, **more):
    host = urlsplit(request.url).netloc
    return {"now": int(time.time()), "host": host, "nonce": os.urandom(8).hex(), "secret": secret, "say": {}, **more}


class Proof(requests.auth.AuthBase):
    """Adds the proof to a request as it is sent."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        path = urlsplit(request.url).path.lstrip("/").split("/")
        match path:
            case ["scim", *_]:
                request.headers["Authorization"] = "Bearer " + SECRETS["scim"]
            case ["hooks", "okta", *_]:
                request.headers["Authorization"] = SECRETS["okta"]
            case ["hooks", *_]:
                self.sign_event(request, body)
            case _ if request.method in ("GET", "HEAD"):
                request.headers["Authorization"] = token()
            case _:
                self.sign(request, body)
        return request

    def sign(self, request, body):
        try:
            text = body.decode()
        except UnicodeDecodeError:
            # The signer takes texts.
            request.headers["Authorization"] = token()
            return
        played = platforms.platform("api-access-key")
        signed = played.signed(ask(request, SECRETS["access_key"]), request.method, request.path_url, text)
        request.headers.update({name: value for name, value in signed if name != "Connection"})

    def sign_event(self, request, body):
        played = platforms.platform("standard-webhooks")
        message, timestamp = "msg_" + os.urandom(8).hex(), str(int(time.time()))
        signature = played.sign(SECRETS["hr"], f"{message}.{timestamp}.".encode() + body)
        request.headers.update(dict(played.named([message, timestamp, signature], "standard")))


schemathesis.auth.set_from_requests(Proof())
