"""Sends an account.delete event, signed by standardwebhooks or by svix.

    standard_webhook.py URL SECRET ID INSTANCE USER_NAME [svix]

With `svix`, the package and the header names are Svix's. Prints the status and the body of the answer, as JSON.
"""

import json
import sys
from datetime import datetime, timezone

import requests

url, secret, webhook_id, instance, user_name, *by = sys.argv[1:]
if by == ["svix"]:
    from svix.webhooks import Webhook

    prefix = "svix"
else:
    from standardwebhooks import Webhook

    prefix = "webhook"

body = json.dumps({"type": "account.delete", "data": {"instance": instance, "user_name": user_name}})
now = datetime.now(timezone.utc)
response = requests.post(
    url,
    data=body,
    headers={
        "Content-Type": "application/json",
        f"{prefix}-id": webhook_id,
        f"{prefix}-timestamp": str(int(now.timestamp())),
        f"{prefix}-signature": Webhook(secret).sign(webhook_id, now, body),
    },
    timeout=60,
)
print(json.dumps({"status": response.status_code, "body": response.json()}))
