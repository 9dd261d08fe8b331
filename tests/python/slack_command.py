"""Sends a slash command, signed by slack_sdk.

    slack_command.py URL SIGNING_SECRET TEXT

Prints the status and the body of the answer, as JSON.
"""

import json
import sys
import time
import urllib.parse

import requests
from slack_sdk.signature import SignatureVerifier

url, secret, text = sys.argv[1:]

body = urllib.parse.urlencode({"command": "/offboard", "user_id": "U2CERLKJA", "user_name": "Steve", "text": text})
timestamp = str(int(time.time()))
response = requests.post(
    url,
    data=body,
    headers={
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body),
    },
    timeout=60,
)
print(json.dumps({"status": response.status_code, "body": response.json()}))
