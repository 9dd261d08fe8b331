"""Sends an account.delete event, signed by standardwebhooks.

    standard_webhook.py URL SECRET ID INSTANCE USER_NAME

Prints the status and the body of the answer, as JSON.
"""

import json
import sys
from datetime import datetime, timezone

import requests
from standardwebhooks import Webhook

url, secret, webhook_id, instance, user_name = sys.argv[1:]

body = json.dumps({"type": "account.delete", "data": {"instance": instance, "user_name": user_name}})
now = datetime.now(timezone.utc)
response = requests.post(
    url,
    data=body,
    headers={
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    },
    timeout=60,
)
print(json.dumps({"status": response.status_code, "body": response.json()}))
