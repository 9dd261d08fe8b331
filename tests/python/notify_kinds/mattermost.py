"""Mattermost: an incoming webhook, and posts of a bot by the REST API.

https://developers.mattermost.com/integrate/webhooks/incoming/; server/public/model/incoming_webhook.go (what it may have) and
server/channels/app/slack.go (what it expands) of github.com/mattermost/mattermost
https://developers.mattermost.com/api-documentation/#/operations/CreatePost, …/PatchPost, server/public/model/post.go
"""

import re

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

SERVER = "https://chat.example.com"
HOOK = "/hooks/xya8pm1x4pn3xg8fsotqp1r3ne"
TOKEN = "9xuqwrwgstrb3mzrxb83nb357a"
CHANNEL = "4xp9fdt77pncbef59f4k1qe83o"
LONGEST = 16_383


def error(code, status):
    return Answer(status, {"id": code, "message": "of the server", "request_id": "r", "status_code": status})


def check_attachments(attachments, refused):
    expect(isinstance(attachments, list), refused("attachments"))
    for attachment in attachments:
        keys = ["fallback", "color", "text", "fields", "footer", "title", "title_link", "pretext"]
        only(attachment, keys, refused, "an attachment")
        expect(re.fullmatch("#[0-9a-f]{6}", attachment.get("color", "#000000")), refused("color"))
        if "title_link" in attachment:
            web_address(attachment["title_link"], refused, "title_link")
        for field in attachment.get("fields", []):
            only(field, ["short", "title", "value"], refused, "a field")
            expect(isinstance(field["short"], bool), refused("short"))
            text(field["title"], 1000, refused, "the title of a field")
            text(field["value"], 7000, refused, "the value of a field")


class MattermostWebhook(Platform):
    ORIGINS = (SERVER,)
    KEYS = {"url": "notify_url"}
    VARIABLES = {"notify_url": SERVER + HOOK}
    HOSTS = {"mattermost_endpoint": SERVER}
    ANSWERS = {
        "parse": error("web.incoming_webhook.parse.app_error", 400),
        "deleted": error("web.incoming_webhook.invalid.app_error", 400),
        "too-often": Answer(429, "limit exceeded", {"Retry-After": "120"}),
        "busy": Answer(503, ""),
    }

    def take(self, request):
        is_hook = request.path == HOOK and not request.query and request.method == "POST"
        expect(is_hook, Refused(self.ANSWERS["deleted"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["parse"], why)

        body = json_of(request, refused)
        keys = ["text", "attachments", "username", "icon_url", "icon_emoji", "channel", "props", "type", "priority"]
        only(body, keys, refused)
        # The server takes words of others for Slack's mentions, and makes its own of them.
        mention = re.search("<!(channel|here|all)>|<@[a-zA-Z0-9]+>", request.body.decode())
        expect(not mention, refused(f"the mention {mention}"))
        text(body.get("text"), LONGEST, refused, "text")
        check_attachments(body.get("attachments", []), refused)
        self.show(body)
        return Answer(200, "ok")


class Mattermost(Platform):
    ORIGINS = (SERVER,)
    KEYS = {"server": SERVER, "token": "notify_token", "channel": CHANNEL}
    VARIABLES = {"notify_token": TOKEN}
    HOSTS = {"mattermost_endpoint": SERVER}
    ANSWERS = {
        "session_expired": error("api.context.session_expired.app_error", 401),
        "permissions": error("api.context.permissions.app_error", 403),
        "post-gone": error("app.post.get.app_error", 404),
        "too-often": Answer(429, "limit exceeded", {"Retry-After": "120"}),
        "busy": Answer(503, ""),
    }

    def take(self, request):
        is_mine = request.headers.get("authorization") == f"Bearer {TOKEN}"
        expect(is_mine, Refused(self.ANSWERS["session_expired"], "the token"))

        def refused(why):
            return Refused(error("api.context.invalid_body_param.app_error", 400), why)

        body = json_of(request, refused)
        text(body.get("message"), LONGEST, refused, "message")
        only(body.get("props", {}), ["attachments"], refused, "props")
        check_attachments(body.get("props", {}).get("attachments", []), refused)
        if (request.method, request.target) == ("POST", "/api/v4/posts"):
            only(body, ["channel_id", "message", "props", "root_id"], refused)
            expect(body.get("channel_id") == CHANNEL, Refused(self.ANSWERS["permissions"], str(body.get("channel_id"))))
            root = body.get("root_id")
            status, number = 201, self.show(body, self.number(root) if root else None)
        else:
            patched = re.fullmatch("/api/v4/posts/([a-z0-9]{26})/patch", request.target)
            expect(request.method == "PUT" and patched, refused(f"{request.method} {request.target}"))
            only(body, ["message", "props"], refused)
            status, number = 200, self.number(patched[1])
            self.edit(number, body)
        return Answer(status, {"id": self.id(number), "channel_id": CHANNEL, "message": body["message"]})

    def id(self, number):
        return f"post{number:022}"

    def number(self, wanted):
        known = [number for number in range(len(self.messages)) if self.id(number) == wanted]
        expect(known, Refused(self.ANSWERS["post-gone"], wanted))
        return known[0]
