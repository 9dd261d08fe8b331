"""Google Chat: a webhook of a space.

https://developers.google.com/workspace/chat/quickstart/webhooks
https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
"""

from .platform import Answer, Platform, Refused, expect, json_of, only, size, text, web_address

PATH = "/v1/spaces/AAAAdemo/messages"
KEYS = {"key": "AIzaDemo", "token": "webhook-token"}
LONGEST = 32_000


def error(code, status):
    return Answer(code, {"error": {"code": code, "message": "of the API", "status": status}})


class GoogleChat(Platform):
    ORIGINS = ("https://chat.googleapis.com",)
    KEYS = {"url": "notify_url"}
    VARIABLES = {"notify_url": f"https://chat.googleapis.com{PATH}?key=AIzaDemo&token=webhook-token"}
    ANSWERS = {
        "invalid": error(400, "INVALID_ARGUMENT"),
        "forbidden": error(403, "PERMISSION_DENIED"),
        "deleted": error(404, "NOT_FOUND"),
        "too-often": Answer(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, {"Retry-After": "120"}),
        "busy": error(503, "UNAVAILABLE"),
    }

    def __init__(self, clock, **given):
        super().__init__(clock, **given)
        self.by_request, self.threads = {}, {}

    def take(self, request):
        expect(request.path == PATH and request.method == "POST", Refused(self.ANSWERS["deleted"], request.target))
        query = request.query
        is_mine = {key: query.get(key) for key in KEYS} == KEYS
        expect(is_mine, Refused(self.ANSWERS["forbidden"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        only(query, [*KEYS, "requestId", "messageReplyOption"], refused, "the query")
        # Without it the thread is ignored.
        expect(query.get("messageReplyOption") == "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", refused(request.target))
        body = json_of(request, refused)
        only(body, ["text", "cardsV2", "thread"], refused)
        expect(len(request.body) <= LONGEST, refused(f"{len(request.body)} bytes"))
        text(body.get("text"), LONGEST, refused, "text", size)
        expect("<users/" not in request.body.decode(), refused("a mention"))
        for card in body["cardsV2"]:
            self.check_card(card, refused)
        text(body["thread"]["threadKey"], 4000, refused, "threadKey")
        number = self.by_request.get(query["requestId"])
        if number is None:
            key = body["thread"]["threadKey"]
            number = self.by_request[query["requestId"]] = self.show(body, self.threads.get(key))
            self.threads.setdefault(key, number)
        return Answer(200, {"name": f"spaces/AAAAdemo/messages/{number}", "thread": {"name": "spaces/AAAAdemo/threads/t"}})

    def check_card(self, card, refused):
        only(card, ["cardId", "card"], refused, "a card")
        only(card["card"], ["sections", "header"], refused, "a card")
        for section in card["card"]["sections"]:
            only(section, ["widgets"], refused, "a section")
            for widget in section["widgets"]:
                [(kind, value)] = widget.items()
                keys = {"decoratedText": ["topLabel", "text", "wrapText"], "textParagraph": ["text"], "buttonList": ["buttons"]}
                expect(kind in keys, refused(f"widget {kind}"))
                only(value, keys[kind], refused, kind)
                for button in value.get("buttons", []):
                    # A webhook is one-way: a button that acts would reach no app.
                    only(button, ["text", "onClick"], refused, "a button")
                    only(button["onClick"], ["openLink"], refused, "a button")
                    web_address(button["onClick"]["openLink"]["url"], refused, "url")
