"""Has scim2-tester check a SCIM server: `scim_tester.py URL TOKEN`. Prints a JSON list of what it did not find in order."""

import json
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

url, token = sys.argv[1:]
client = SyncSCIMClient(httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False))
results = check_server(client)
found = [[result.title, result.reason] for result in results if result.status not in (Status.SUCCESS, Status.SKIPPED)]
print(json.dumps({"checks": len(results), "found": found}))
