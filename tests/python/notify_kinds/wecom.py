"""WeCom: a robot of a group.

https://developer.work.weixin.qq.com/document/path/99110; codes: https://developer.work.weixin.qq.com/document/path/90313
"""

from .platform import Answer, Platform, Refused, expect, json_of, only, size, text

TARGET = "/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


def no(code, message):
    return Answer(200, {"errcode": code, "errmsg": f"{message}, hint: [1780308000], more info at https://open.work.weixin.qq.com"})


class Wecom(Platform):
    ORIGINS = ("https://qyapi.weixin.qq.com",)
    KEYS = {"url": "notify_url"}
    VARIABLES = {"notify_url": f"https://qyapi.weixin.qq.com{TARGET}"}
    ANSWERS = {
        "invalid": no(40058, "markdown.content exceed max length 4096"),
        "key": no(93000, "invalid webhook url"),
        "too-often": no(45009, "api freq out of limit"),
        "busy": no(-1, "system busy"),
    }

    def __init__(self, clock, **given):
        super().__init__(clock, **given)
        self.sent_at = []

    def take(self, request):
        is_hook = request.method == "POST" and request.target == TARGET
        expect(is_hook, Refused(self.ANSWERS["key"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        body = json_of(request, refused)
        only(body, ["msgtype", "markdown"], refused)
        expect(body["msgtype"] == "markdown", refused(body["msgtype"]))
        only(body["markdown"], ["content"], refused, "the Markdown")
        text(body["markdown"]["content"], 4096, refused, "content", size)
        expect("<@" not in body["markdown"]["content"], refused("a mention"))
        self.sent_at = [at for at in self.sent_at if self.now() - at < 60] + [self.now()]
        expect(len(self.sent_at) <= 20, Refused(self.ANSWERS["too-often"], "more than 20 messages in a minute"))
        self.show(body)
        return Answer(200, {"errcode": 0, "errmsg": "ok"})
