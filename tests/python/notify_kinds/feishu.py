"""Feishu: a custom bot of a group, with signatures and a keyword.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (limits, codes, signature)
https://open.feishu.cn/document/common-capabilities/message-card/message-cards-content (cards of version 1)
"""

import base64
import hashlib
import hmac

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

PATH = "/open-apis/bot/v2/hook/1b9f1c0d-demo-4c5d-8e6f-a1b2c3d4e5f6"
SECRET = "feishu-signing-secret"
KEYWORD = "OFFBOARD"
LONGEST = 20 * 1024


def no(code, message):
    return Answer(200, {"code": code, "msg": message, "data": {}})


class Feishu(Platform):
    ORIGINS = ("https://open.feishu.cn",)
    KEYS = {"url": "notify_url", "secret": "notify_secret"}
    VARIABLES = {"notify_url": f"https://open.feishu.cn{PATH}", "notify_secret": SECRET}
    ANSWERS = {
        "bad-request": no(9499, "Bad Request"),
        "token": no(19001, "param invalid: incoming webhook access token invalid"),
        "sign": no(19021, "sign match fail or timestamp is not within one hour from current time"),
        "keyword": no(19024, "Key Words Not Found"),
        "too-often": no(11232, "frequency limited psm[lark.oapi.app_platform_runtime]"),
        "throttled": Answer(429, {"code": 11232, "msg": "frequency limited"}, {"Retry-After": "120"}),
    }

    def take(self, request):
        is_hook = request.method == "POST" and request.target == PATH
        expect(is_hook, Refused(self.ANSWERS["token"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["bad-request"], why)

        body = json_of(request, refused)
        only(body, ["timestamp", "sign", "msg_type", "card"], refused)
        key = f"{body['timestamp']}\n{SECRET}".encode()
        sign = base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
        is_now = abs(int(body["timestamp"]) - self.now()) <= 3600
        expect(body["sign"] == sign and is_now, Refused(self.ANSWERS["sign"], f"{body['timestamp']} {body['sign']}"))
        expect(len(request.body) <= LONGEST, refused(f"{len(request.body)} bytes"))
        expect(body["msg_type"] == "interactive", refused(body["msg_type"]))
        expect(KEYWORD in request.body.decode(), Refused(self.ANSWERS["keyword"], "the keyword"))
        self.check_card(body["card"], refused)
        self.show(body)
        return Answer(200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})

    def check_card(self, card, refused):
        only(card, ["config", "header", "elements"], refused, "the card")
        only(card["config"], ["update_multi", "wide_screen_mode", "enable_forward"], refused, "the configuration")
        only(card["header"], ["template", "title"], refused, "the header")
        colours = "blue wathet turquoise green yellow orange red carmine violet purple indigo grey default"
        expect(card["header"]["template"] in colours.split(), refused(f"template {card['header']['template']}"))
        self.plain(card["header"]["title"], refused)
        for element in card["elements"]:
            keys = {"div": ["text", "fields"], "note": ["elements"], "action": ["actions"], "hr": []}
            expect(element["tag"] in keys, refused(f"element {element['tag']}"))
            only(element, ["tag", *keys[element["tag"]]], refused, element["tag"])
            texts = [element.get("text"), *[field["text"] for field in element.get("fields", [])]]
            for part in [*texts, *element.get("elements", [])]:
                if part is not None:
                    self.plain(part, refused)
            for button in element.get("actions", []):
                # A bot's buttons only open pages.
                only(button, ["tag", "type", "text", "url"], refused, "a button")
                self.plain(button["text"], refused)
                web_address(button["url"], refused, "url")

    def plain(self, part, refused):
        only(part, ["tag", "content"], refused, "a text")
        expect(part["tag"] == "plain_text", refused(f"a text is {part['tag']}"))
        text(part["content"], LONGEST, refused, "a text")
