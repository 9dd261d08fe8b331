"""Removes an account with a request that http-message-signatures signs (RFC 9421), as a client without an SDK does.

    http_signature.py ENDPOINT ALGORITHM KEY_ID KEY PROJECT_ID INSTANCE_ID USER_NAME

KEY is a private key in PEM (`ed25519`, `ecdsa-p256-sha256`) or the base64 of a shared one (`hmac-sha256`). Prints the status and the
body of the answer, as JSON.
"""

import base64
import json
import secrets
import sys

import requests
from http_message_signatures import HTTPMessageSigner, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

endpoint, algorithm, key_id, key, project_id, instance_id, user_name = sys.argv[1:]

url = f"{endpoint}/v3/{project_id}/instances/{instance_id}/starrocks/users"
request = requests.Request("DELETE", url, params={"user_name": user_name}).prepare()
known = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "hmac-sha256": algorithms.HMAC_SHA256,
}
key = base64.b64decode(key) if algorithm == "hmac-sha256" else key.encode()
signer = HTTPMessageSigner(
    signature_algorithm=known[algorithm],
    key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: key}),
)
covered = ("@method", "@path", "@query")
# With a body, if an empty one, the library adds its digest and covers it.
signer.sign(request, key_id=key_id, covered_component_ids=covered, nonce=secrets.token_hex(8), body=b"")

session = requests.Session()
session.trust_env = False
response = session.send(request, timeout=60)
print(json.dumps({"status": response.status_code, "body": response.json()}))
