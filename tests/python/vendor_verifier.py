"""Sends what a platform would send, and says whether the vendor's own verifier takes it.

    vendor_verifier.py KIND URL TEXT [other]

KIND is `discord` (discord_interactions) or `google-chat` (google.auth): the kinds whose vendor has a package that verifies requests,
and none that sends them. What is sent comes from the kind's platform.py, with the keys of its caller.toml; with `other`, with the
keys that are not accepted. Prints what the vendor's package says, and the status and the body of the answer, as JSON.
"""

import base64
import contextlib
import json
import secrets
import sys
import time
import tomllib
from urllib.parse import urlsplit

import requests
from platforms import CALLERS, platform


def discord(caller, headers, body):
    from discord_interactions import verify_key

    key = caller["variables"]["discord_public_key"]
    # It prints what it thinks of a wrong signature.
    with contextlib.redirect_stdout(sys.stderr):
        return verify_key(body.encode(), headers["X-Signature-Ed25519"], headers["X-Signature-Timestamp"], key)


def google_chat(caller, headers, _body):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from google.auth import jwt
    from google.auth.exceptions import GoogleAuthError

    def number(text):
        return int.from_bytes(base64.urlsafe_b64decode(text + "=="))

    published = json.loads(caller["published"]["https://www.googleapis.com/oauth2/v3/certs"])
    keys = {key["kid"]: RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key() for key in published["keys"]}
    encoding = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    certs = {kid: key.public_bytes(*encoding) for kid, key in keys.items()}
    try:
        claims = jwt.decode(headers["Authorization"].removeprefix("Bearer "), certs, audience=platform("google-chat").URL)
    except (GoogleAuthError, ValueError):
        return False
    return claims["email"] == platform("google-chat").CHAT and claims["email_verified"]


kind, url, text, *other = sys.argv[1:]
caller = tomllib.loads((CALLERS / kind / "caller.toml").read_text(encoding="utf-8"))
secret = caller["other_secret" if other else "secret"]
name = urlsplit(url).path.rpartition("/")[2]
ask = {"now": int(time.time()), "caller": name, "host": urlsplit(url).netloc, "secret": secret}
made = platform(kind).request(ask | {"nonce": secrets.token_hex(8), "say": caller["say"] | {"text": text}})
is_taken = {"discord": discord, "google-chat": google_chat}[kind](caller, dict(made["headers"]), made["body"])
response = requests.post(url, data=made["body"].encode(), headers=dict(made["headers"]), timeout=60)
print(json.dumps({"vendor": is_taken, "status": response.status_code, "body": response.json()}))
