"""Discord: a webhook of a channel.

https://docs.discord.com/developers/resources/webhook, https://docs.discord.com/developers/resources/message
https://docs.discord.com/developers/topics/rate-limits, …/topics/opcodes-and-status-codes
"""

import re

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

PATH = "/api/webhooks/1234567890123456789/webhook_token-abc"


class Discord(Platform):
    ORIGINS = ("https://discord.com",)
    KEYS = {"url": "notify_url", "caller": "discord"}
    VARIABLES = {"notify_url": f"https://discord.com{PATH}"}
    ANSWERS = {
        "invalid": Answer(400, {"code": 50035, "message": "Invalid Form Body", "errors": {}}),
        "wrong-token": Answer(401, {"code": 50027, "message": "Invalid Webhook Token"}),
        "deleted": Answer(404, {"code": 10015, "message": "Unknown Webhook"}),
        "message-gone": Answer(404, {"code": 10008, "message": "Unknown Message"}),
        "too-often": Answer(
            429, {"message": "You are being rate limited.", "retry_after": 119.7, "global": False}, {"Retry-After": "120"}
        ),
        "busy": Answer(503, ""),
    }

    def take(self, request):
        expect(request.path.startswith(PATH), Refused(self.ANSWERS["deleted"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        body = json_of(request, refused)
        only(body, ["content", "embeds", "allowed_mentions", "components"], refused)
        # An edit begins from the default, which mentions, as a post does.
        expect(body.get("allowed_mentions") == {"parse": []}, refused("allowed_mentions"))
        self.check_embeds(body["embeds"], refused)
        # This webhook is the application's own, so its buttons may act.
        self.check_components(body.get("components", []), refused)
        more = request.path.removeprefix(PATH)
        if request.method == "POST" and not more:
            # Without it there is no answer, and an unsaved message is no error.
            expect(request.query == {"wait": "true"}, refused(request.target))
            number = self.show(body)
        else:
            changed = re.fullmatch(r"/messages/(\d+)", more)
            expect(request.method == "PATCH" and changed, refused(f"{request.method} {request.target}"))
            known = [number for number in range(len(self.messages)) if self.id(number) == changed[1]]
            expect(known, Refused(self.ANSWERS["message-gone"], changed[1]))
            number = known[0]
            self.edit(number, body)
        return Answer(200, {"id": self.id(number), "type": 0, "embeds": body["embeds"]})

    def id(self, number):
        return str(1100000000000000000 + number)

    def check_embeds(self, embeds, refused):
        expect(1 <= len(embeds) <= 10, refused("embeds"))
        total = 0
        for embed in embeds:
            only(embed, ["title", "description", "url", "color", "fields", "footer"], refused, "an embed")
            text(embed["title"], 256, refused, "a title")
            expect(len(embed.get("description", "")) <= 4096, refused("a description"))
            expect(len(embed.get("fields", [])) <= 25, refused("more than 25 fields"))
            for field in embed.get("fields", []):
                only(field, ["name", "value", "inline"], refused, "a field")
                text(field["name"], 256, refused, "the name of a field")
                text(field["value"], 1024, refused, "the value of a field")
                total += len(field["name"]) + len(field["value"])
            footer = embed.get("footer", {}).get("text", "")
            expect(len(footer) <= 2048, refused("a footer"))
            if "url" in embed:
                web_address(embed["url"], refused, "url")
            total += len(embed["title"]) + len(embed.get("description", "")) + len(footer)
        expect(total <= 6000, refused(f"{total} characters of all embeds"))

    def check_components(self, rows, refused):
        expect(len(rows) <= 5, refused("more than five rows"))
        for row in rows:
            expect(row["type"] == 1 and 1 <= len(row["components"]) <= 5, refused("a row of one to five buttons"))
            for button in row["components"]:
                only(button, ["type", "style", "label", "custom_id"], refused, "a button")
                expect(button["type"] == 2 and button["style"] in range(1, 5), refused("a button"))
                text(button["label"], 80, refused, "a label")
                text(button["custom_id"], 100, refused, "custom_id")
