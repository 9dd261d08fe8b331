"""DingTalk: a custom robot of a group, with signatures and a keyword.

https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages (types, limits)
https://open.dingtalk.com/document/orgapp/customize-robot-security-settings (signature)
The answer without `errcode` to a robot that sends too much is documented nowhere; senders of others have met it.
"""

import base64
import hashlib
import hmac

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

PATH = "/robot/send"
TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "SECdingtalk-signing-secret"
KEYWORD = "OFFBOARD"
LONGEST = 20_000


def no(code, message):
    return Answer(200, {"errcode": code, "errmsg": message})


class Dingtalk(Platform):
    ORIGINS = ("https://oapi.dingtalk.com",)
    KEYS = {"url": "notify_url", "secret": "notify_secret"}
    VARIABLES = {
        "notify_url": f"https://oapi.dingtalk.com{PATH}?access_token={TOKEN}",
        "notify_secret": SECRET,
    }
    ANSWERS = {
        "invalid": no(40035, "invalid parameter"),
        "token": no(300005, "token is not exist"),
        "security": no(310000, "sign not match"),
        "stopped": no(400102, "robot is stopped"),
        "too-fast": no(130101, "send too fast, exceed 20 times per minute"),
        "punished": Answer(200, {"status": 1111, "wait": 5, "punish": "deny"}),
        "busy": no(-1, "system busy"),
    }

    def __init__(self, clock, **given):
        super().__init__(clock, **given)
        self.sent_at = []

    def take(self, request):
        query = request.query
        expect(request.method == "POST" and request.path == PATH, Refused(self.ANSWERS["token"], request.target))
        expect(query.get("access_token") == TOKEN, Refused(self.ANSWERS["token"], request.target))
        signed = f"{query['timestamp']}\n{SECRET}".encode()
        sign = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        is_now = abs(int(query["timestamp"]) / 1000 - self.now()) <= 3600
        expect(query.get("sign") == sign and is_now, Refused(self.ANSWERS["security"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        body = json_of(request, refused)
        expect(len(request.body) <= LONGEST, refused(f"{len(request.body)} bytes"))
        expect(KEYWORD in request.body.decode(), Refused(self.ANSWERS["security"], "the keyword"))
        kind = body.get("msgtype")
        only(body, ["msgtype", kind], refused)
        if kind == "actionCard":
            only(body[kind], ["title", "text", "singleTitle", "singleURL"], refused, kind)
            web_address(body[kind]["singleURL"], refused, "singleURL")
            text(body[kind]["singleTitle"], 100, refused, "singleTitle")
        else:
            expect(kind == "markdown", refused(f"msgtype {kind}"))
            only(body[kind], ["title", "text"], refused, kind)
        text(body[kind]["title"], 200, refused, "title")
        text(body[kind]["text"], LONGEST, refused, "text")
        self.sent_at = [at for at in self.sent_at if self.now() - at < 60] + [self.now()]
        expect(len(self.sent_at) <= 20, Refused(self.ANSWERS["too-fast"], "more than 20 messages in a minute"))
        self.show(body)
        return Answer(200, {"errcode": 0, "errmsg": "ok"})
