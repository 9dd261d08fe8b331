"""Sends an event in the form of the CloudEvents SDK.

    cloudevent.py URL TOKEN MODE ID LOGIN SYSTEM

MODE is `binary` or `structured`. Prints the status and the body of the answer, as JSON.
"""

import json
import sys

import requests
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

url, token, mode, event_id, login, system = sys.argv[1:]

attributes = {"id": event_id, "source": "/hr/employees", "type": "com.example.hr.employee.left", "subject": "Åsa 100%"}
event = CloudEvent(attributes | {"specversion": "1.0", "datacontenttype": "application/json"}, {"login": login, "system": system})
message = {"binary": http.to_binary_event, "structured": http.to_structured_event}[mode](event)
response = requests.post(url, data=message.body, headers=message.headers | {"Authorization": f"Bearer {token}"}, timeout=60)
print(json.dumps({"status": response.status_code, "body": response.json()}))
