"""Sends an event in the form of the CloudEvents SDK.

    cloudevent.py URL TOKEN MODE ID LOGIN SYSTEM [without-data]

MODE is `binary` or `structured`. With `without-data`, the login is the subject and the event has no data. Prints the status and the body of the answer, as JSON.
"""

import json
import sys

import requests
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

url, token, mode, event_id, login, system, *without_data = sys.argv[1:]

attributes = {"specversion": "1.0", "id": event_id, "source": "/hr/employees", "type": "com.example.hr.employee.left"}
if without_data:
    event = CloudEvent(attributes | {"subject": login}, None)
else:
    attributes |= {"subject": "Åsa 100%", "datacontenttype": "application/json"}
    event = CloudEvent(attributes, {"login": login, "system": system})
message = {"binary": http.to_binary_event, "structured": http.to_structured_event}[mode](event)
response = requests.post(url, data=message.body, headers=message.headers | {"Authorization": f"Bearer {token}"}, timeout=60)
print(json.dumps({"status": response.status_code, "body": response.json()}))
