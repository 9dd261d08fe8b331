"""Runs `deploy/systemd/run-job` against a server of its own, and verifies the request with http-message-signatures (RFC 9421).

    run_job.py SCRIPT JOB

Prints the request's target, the components that its signature covers and the exit status, as JSON.
"""

import base64
import http.server
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import threading

import requests
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

script, job = sys.argv[1:]
key = secrets.token_bytes(32)
received = []


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.append(requests.Request("POST", f"http://{self.headers['host']}{self.path}", headers=dict(self.headers)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.handle_request, daemon=True).start()
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "job_key").write_text(base64.b64encode(key).decode() + "\n")
    url = f"http://127.0.0.1:{server.server_port}"
    environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": folder, "OFFBOARD_URL": url}
    ended = subprocess.run([sys.executable, script, job], env=environment, timeout=60)

request = received[0].prepare()
verifier = HTTPMessageVerifier(
    signature_algorithm=algorithms.HMAC_SHA256,
    key_resolver=MappingKeyResolver(public_keys={"jobs": key}, private_keys={}),
)
(verified,) = verifier.verify(request)
print(json.dumps({"target": request.path_url, "covered": list(verified.covered_components), "exit": ended.returncode}))
