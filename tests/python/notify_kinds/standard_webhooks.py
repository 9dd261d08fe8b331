"""A system that takes Standard Webhooks, and asks their own library whether a signature is right.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from datetime import datetime, timezone

from standardwebhooks import Webhook

from .platform import Answer, Platform, Refused, expect, json_of, only

ORIGIN = "https://events.example.com"
PATH = "/offboard"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class StandardWebhooks(Platform):
    ORIGINS = (ORIGIN,)
    KEYS = {"url": "notify_url", "secrets": ["notify_secret"]}
    VARIABLES = {"notify_url": ORIGIN + PATH, "notify_secret": SECRET}
    HOSTS = {"notify_host": ORIGIN}
    ANSWERS = {
        "gone": Answer(410),
        "too-often": Answer(429, "", {"Retry-After": "120"}),
        "busy": Answer(500),
        "redirect": Answer(302, "", {"Location": "https://events.example.com/elsewhere"}),
    }

    def __init__(self, clock, **given):
        super().__init__(clock, **given)
        self.seen = set()

    def take(self, request):
        def refused(why):
            return Refused(Answer(401), why)

        is_mine = request.method == "POST" and request.target == PATH
        expect(is_mine, Refused(Answer(404), f"{request.method} {request.target}"))
        identity, stamp = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        # The library's `verify` reads this machine's clock, so the time is held to the test's here.
        expect(abs(stamp - self.now()) <= 300, refused(f"timestamp {stamp}"))
        at = datetime.fromtimestamp(stamp, timezone.utc)
        signed = Webhook(SECRET).sign(identity, at, request.body.decode())
        expect(signed in request.headers["webhook-signature"].split(" "), refused(request.headers["webhook-signature"]))
        expect("." not in identity, refused(f"id {identity}"))
        expect(len(request.body) < 20_000, refused(f"{len(request.body)} bytes"))
        body = json_of(request, refused)
        only(body, ["type", "timestamp", "data"], refused)
        datetime.fromisoformat(body["timestamp"])
        if identity not in self.seen:
            self.seen.add(identity)
            self.show(body)
        return Answer(204)
