"""What others make of random requests, tokens and webhooks: see tests/story/callers/differential, which asks.

A line of JSON is an order, `{"do": …, "cases": […]}`; the line that answers it is a list, one entry a case. The clock is the
case's.
"""

import base64
import hashlib
import hmac
import json
import sys
import warnings
from datetime import datetime, timezone

import jwt
import standardwebhooks.webhooks
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Clock(datetime):
    at = 0

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(cls.at, tz)


# Both libraries read the clock where they verify, and take no other.
jwt.api_jwt.datetime = Clock
standardwebhooks.webhooks.datetime = Clock
warnings.simplefilter("ignore")


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sdk_sign(case):
    credentials = BasicCredentials(case["access_key"], case["secret_key"])
    query = [tuple(parameter) for parameter in case["query"]]
    body = base64.b64decode(case["body"])
    headers = dict(case["headers"])
    request = SdkRequest(case["method"], "https", case["host"], case["path"], "", query, headers, body)
    signed = Signer(credentials).sign(request)
    # The SDK hands text to its HTTP client that goes out as Latin-1.
    return {"headers": list(signed.header_params.items()), "uri": signed.uri}


def raw_signature(case, key, signed):
    how = case["signature"]
    if how == "none":
        return b""
    if how == "hmac":
        return hmac.new(case["shared"].encode(), signed, hashlib.sha256).digest()
    names = {"Ed25519PrivateKey": "EdDSA", "ECPrivateKey": "ES256", "RSAPrivateKey": "RS256"}
    algorithm = names[type(key).__name__.replace("EllipticCurve", "EC")]
    made = jwt.get_algorithm_by_name(algorithm).sign(signed, key)
    first, second = made[:32], made[32:]
    if how == "twin" and algorithm == "ES256":
        return first + (P256_ORDER - int.from_bytes(second, "big")).to_bytes(32, "big")
    if how == "twin" and algorithm == "EdDSA":
        return first + (ED25519_ORDER + int.from_bytes(second, "little")).to_bytes(32, "little")
    if how == "der" and algorithm == "ES256":
        return encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))
    return made


def token(case):
    """A token: by PyJWT's own `encode`, or, where that writes no such thing, segment by segment."""
    key = load_key(case["key"])
    if case["signature"] == "encode":
        header = json.loads(case["header"])
        return jwt.encode(json.loads(case["payload"]), key, header["alg"], header)
    signed = f"{unpadded(case['header'].encode())}.{unpadded(base64.b64decode(case['payload']))}"
    return f"{signed}.{unpadded(raw_signature(case, key, signed.encode()))}"


LOADED = {}


def load_key(pem):
    if pem not in LOADED:
        LOADED[pem] = load_pem_private_key(pem.encode(), None)
    return LOADED[pem]


def key_of(given, keys):
    """PyJWT leaves the choice of a key to whoever uses it: by `kid`, or the one key of the algorithm."""
    header = jwt.get_unverified_header(given)
    if "kid" in header:
        return keys[header["kid"]]
    fitting = [key for key in keys if key.algorithm_name == header.get("alg")]
    if len(fitting) != 1:
        raise KeyError("no key")
    return fitting[0]


def token_verify(case):
    Clock.at = case["now"]
    keys = jwt.PyJWKSet.from_json(case["keys"])
    required = {"require": ["exp", "iss", "aud", "sub"]}
    expected = {"audience": case["audiences"], "issuer": case["issuer"]}
    try:
        key = key_of(case["token"], keys)
        # A minute for a clock that is ahead, and none for a token that has ended.
        jwt.decode(case["token"], key, leeway=60, options={**required, "verify_exp": False}, **expected)
        not_ahead = {**required, "verify_nbf": False, "verify_iat": False}
        claims = jwt.decode(case["token"], key, options=not_ahead, **expected)
    except Exception as error:  # Whatever it is, it is no yes.
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"subject": claims["sub"]}


def webhook_sign(case):
    body = base64.b64decode(case["body"]).decode()
    at = datetime.fromtimestamp(case["at"], timezone.utc)
    return standardwebhooks.Webhook(case["secret"]).sign(case["id"], at, body)


def webhook_verify(case):
    Clock.at = case["now"]
    try:
        hook = standardwebhooks.Webhook(case["secret"])
        hook.verify(base64.b64decode(case["body"]), dict(case["headers"]), json_parse=False)
    except Exception as error:  # Whatever it is, it is no yes.
        return {"refused": f"{type(error).__name__}: {error}"}
    return {}


DO = {name: globals()[name] for name in ["sdk_sign", "token", "token_verify", "webhook_sign", "webhook_verify"]}


def main():
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = [DO[order["do"]](case) for case in order["cases"]]
        except Exception as error:  # The test that asked has to hear of it.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
