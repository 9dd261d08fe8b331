"""PagerDuty: the Events API v2.

https://developer.pagerduty.com/docs/events-api-v2/overview/, https://developer.pagerduty.com/docs/events-api-v2-trigger-events
"""

from datetime import datetime

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

KEY = "0123456789abcdef0123456789abcdef"
LONGEST = 512 * 1024


def invalid(why):
    return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": [why]})


class Pagerduty(Platform):
    ORIGINS = ("https://events.pagerduty.com",)
    KEYS = {"routing_key": "notify_token"}
    VARIABLES = {"notify_token": KEY}
    ANSWERS = {
        "invalid": invalid("'routing_key' is invalid"),
        "too-often": Answer(429, {"status": "throttle exceeded"}, {"Retry-After": "120"}),
        "busy": Answer(500, ""),
    }

    def __init__(self, clock, **given):
        super().__init__(clock, **given)
        self.incidents = {}

    def take(self, request):
        def refused(why):
            return Refused(invalid(why), why)

        is_queue = request.method == "POST" and request.target == "/v2/enqueue"
        expect(is_queue, Refused(Answer(404), f"{request.method} {request.target}"))
        expect(len(request.body) <= LONGEST, refused(f"{len(request.body)} bytes"))
        body = json_of(request, refused)
        expect(body.get("routing_key") == KEY, refused("routing_key"))
        text(body.get("dedup_key"), 255, refused, "dedup_key")
        key = body["dedup_key"]
        if body.get("event_action") == "resolve":
            only(body, ["routing_key", "event_action", "dedup_key"], refused)
            if key in self.incidents:
                self.edit(self.incidents.pop(key), {"state": "resolved"})
        else:
            self.check_trigger(body, refused)
            # A second trigger of an open incident adds to its log.
            if key not in self.incidents:
                self.incidents[key] = self.show(body)
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def check_trigger(self, body, refused):
        only(body, ["routing_key", "event_action", "dedup_key", "payload", "links", "client", "client_url"], refused)
        expect(body.get("event_action") == "trigger", refused(f"event_action {body.get('event_action')}"))
        payload = body["payload"]
        only(payload, ["summary", "source", "severity", "timestamp", "custom_details"], refused, "payload")
        text(payload["summary"], 1024, refused, "summary")
        text(payload["source"], 255, refused, "source")
        expect(payload["severity"] in ("critical", "error", "warning", "info"), refused(payload["severity"]))
        datetime.fromisoformat(payload["timestamp"])
        for link in body["links"]:
            only(link, ["href", "text"], refused, "a link")
            web_address(link["href"], refused, "href")
