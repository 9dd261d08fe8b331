"""Slack: an incoming webhook, and `chat.postMessage` and `chat.update` of the Web API.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/reference/methods/chat.update
https://docs.slack.dev/reference/block-kit/blocks; that all blocks together have a limit: github.com/slackapi/bolt-js/issues/2509
https://docs.slack.dev/apis/web-api/rate-limits
"""

import json
import re

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

CHANNEL = "C0123ABCD"
TOKEN = "xoxb-1234-5678-notify"
PATH = "/services/T0001/B0001/XXXXXXXXXXXXXXXXXXXXXXXX"

# All blocks together, as JSON.
LONGEST = 13_200


def check_blocks(blocks, refused):
    # `<!channel>` calls everyone; words of others are escaped.
    mention = re.search("<[!@#]", json.dumps(blocks))
    expect(not mention, refused(f"a mention in {blocks}"))
    expect(isinstance(blocks, list) and 1 <= len(blocks) <= 50, refused("1 to 50 blocks"))
    expect(len(json.dumps(blocks, ensure_ascii=False)) <= LONGEST, refused("the blocks are too long"))
    for block in blocks:
        check = {"header": header, "section": section, "context": context, "actions": actions}.get(block.get("type"))
        expect(check, refused(f"block {block.get('type')}"))
        check(block, refused)


def text_object(value, most, refused, types=("plain_text", "mrkdwn")):
    expect(isinstance(value, dict) and value.get("type") in types, refused(f"a text object: {value}"))
    only(value, ["type", "text", "emoji", "verbatim"], refused, "a text object")
    text(value["text"], most, refused, "a text")


def header(block, refused):
    only(block, ["type", "text", "block_id"], refused, "a header")
    text_object(block.get("text"), 150, refused, ("plain_text",))


def section(block, refused):
    only(block, ["type", "text", "fields", "block_id", "accessory"], refused, "a section")
    expect("text" in block or "fields" in block, refused("a section without text"))
    if "text" in block:
        text_object(block["text"], 3000, refused)
    fields = block.get("fields", [])
    expect(len(fields) <= 10, refused("more than ten fields"))
    for field in fields:
        text_object(field, 2000, refused)


def context(block, refused):
    only(block, ["type", "elements", "block_id"], refused, "a context")
    expect(1 <= len(block["elements"]) <= 10, refused("1 to 10 elements of a context"))
    for element in block["elements"]:
        text_object(element, 2000, refused)


def actions(block, refused):
    only(block, ["type", "elements", "block_id"], refused, "actions")
    expect(1 <= len(block["elements"]) <= 25, refused("1 to 25 elements of actions"))
    ids = [element.get("action_id") for element in block["elements"]]
    expect(len(ids) == len(set(ids)), refused(f"action_id twice: {ids}"))
    for element in block["elements"]:
        keys = ["type", "action_id", "text", "value", "url", "style", "confirm"]
        only(element, keys, refused, "a button")
        expect(element.get("type") == "button", refused(f"element {element.get('type')}"))
        text_object(element.get("text"), 75, refused, ("plain_text",))
        text(element.get("action_id"), 255, refused, "action_id")
        expect(element.get("style") in (None, "primary", "danger"), refused(f"style {element.get('style')}"))
        expect(len(element.get("value", "")) <= 2000, refused("value"))
        if "url" in element:
            web_address(element["url"], refused, "url")
            expect(len(element["url"]) <= 3000, refused("url"))


class SlackWebhook(Platform):
    ORIGINS = ("https://hooks.slack.com",)
    KEYS = {"url": "notify_url"}
    VARIABLES = {"notify_url": f"https://hooks.slack.com{PATH}"}
    ANSWERS = {
        "invalid_payload": Answer(400, "invalid_payload"),
        "no_service": Answer(404, "no_service"),
        "channel_is_archived": Answer(410, "channel_is_archived"),
        "too-often": Answer(429, "rate_limited", {"Retry-After": "120"}),
        "busy": Answer(500, "rollup_error"),
    }

    def take(self, request):
        expect(request.path == PATH and not request.query, Refused(Answer(404, "no_service"), request.target))
        expect(request.method == "POST", Refused(Answer(404, "no_service"), request.method))
        body = json_of(request, lambda why: Refused(Answer(400, "invalid_payload"), why))

        def refused(why):
            return Refused(Answer(400, "invalid_blocks"), why)

        only(body, ["text", "blocks"], refused)
        text(body.get("text"), 40_000, refused, "text")
        check_blocks(body.get("blocks"), refused)
        self.show(body)
        return Answer(200, "ok")


def no(error):
    return Answer(200, {"ok": False, "error": error})


class Slack(Platform):
    ORIGINS = ("https://slack.com",)
    KEYS = {"token": "notify_token", "channel": CHANNEL, "caller": "slack"}
    VARIABLES = {"notify_token": TOKEN}
    ANSWERS = {
        "token_revoked": no("token_revoked"),
        "is_archived": no("is_archived"),
        "not_in_channel": no("not_in_channel"),
        "message_not_found": no("message_not_found"),
        "too-often": Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "120"}),
        "busy": no("internal_error"),
    }

    def take(self, request):
        method = request.path.removeprefix("/api/")
        expect(request.method == "POST" and not request.query, Refused(no("unknown_method"), request.target))
        expect(request.headers.get("authorization") == f"Bearer {TOKEN}", Refused(no("invalid_auth"), "the token"))
        body = json_of(request, lambda why: Refused(no("invalid_json"), why))
        # Without a charset Slack answers with a warning.
        charset = request.headers["content-type"].partition("charset=")[2]
        expect(charset == "utf-8", Refused(no("invalid_charset"), request.headers["content-type"]))
        expect(body.get("channel") == CHANNEL, Refused(no("channel_not_found"), str(body.get("channel"))))

        def refused(why):
            return Refused(no("invalid_blocks"), why)

        more = {"chat.postMessage": ["unfurl_links", "thread_ts"], "chat.update": ["ts"]}
        only(body, ["channel", "text", "blocks", *more.get(method, [])], refused)
        text(body.get("text"), 40_000, refused, "text")
        check_blocks(body.get("blocks"), refused)
        if method == "chat.postMessage":
            number = self.show(body, self.number(body["thread_ts"], "thread_not_found") if "thread_ts" in body else None)
        else:
            expect(method == "chat.update", Refused(no("unknown_method"), method))
            number = self.number(body.get("ts"), "message_not_found")
            self.edit(number, body)
        return Answer(200, {"ok": True, "channel": CHANNEL, "ts": self.ts(number), "message": {"ts": self.ts(number)}})

    def ts(self, number):
        return f"1780308000.{number:06}"

    def number(self, ts, error):
        known = [number for number in range(len(self.messages)) if self.ts(number) == ts]
        expect(known, Refused(no(error), str(ts)))
        return known[0]
