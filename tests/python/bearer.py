"""Sends the documented DELETE with a token that PyJWT signs: `bearer.py ENDPOINT ALGORITHM KEY KID CLAIMS PROJECT INSTANCE USER`."""

import json
import sys
import time
import urllib.error
import urllib.request

import jwt

endpoint, algorithm, key, kid, claims, project, instance, user_name = sys.argv[1:]
now = int(time.time())
claims = {"iat": now, "exp": now + 300, **json.loads(claims)}
token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})
url = f"{endpoint}/v3/{project}/instances/{instance}/starrocks/users?user_name={user_name}"
request = urllib.request.Request(url, method="DELETE", headers={"Authorization": f"Bearer {token}"})
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps({"status": answer.status, "body": json.load(answer)}))
