"""Slack Bolt for Python as its documentation has it for production: Flask behind gunicorn. Proof by Bolt, then the
DELETE. No policy, no ledger."""

import os

import requests
from flask import Flask, request
from requests.adapters import HTTPAdapter
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

UPSTREAM = os.environ["UPSTREAM"]

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=16))

bolt = App(
    signing_secret=os.environ["SIGNING_SECRET"],
    # Instead of a token, which Bolt would ask Slack about.
    authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1DC2JH3J", bot_token="xoxb-none", bot_user_id="U0"),
)


@bolt.command("/offboard")
def offboard(ack, command):
    user_name, instance = command["text"].split(" ")[:2]
    answer = session.delete(
        f"{UPSTREAM}/v3/project/instances/{instance}/starrocks/users",
        params={"user_name": user_name},
        headers={"content-type": "application/json"},
        timeout=20,
    )
    removed = answer.json().get("result") == "SUCCESS"
    ack(f"Removed {user_name} on {instance}" if removed else f"failed: {answer.status_code}")


app = Flask(__name__)
handler = SlackRequestHandler(bolt)


@app.post("/hooks/slack")
def slack():
    return handler.handle(request)
