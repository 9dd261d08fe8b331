"""Microsoft Teams: a workflow "When a Teams webhook request is received", which is accepted before it shows anything.

https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook, https://adaptivecards.io/explorer/ (version 1.4)
The codes in the bodies are examples: senders read the status.
"""

from .platform import Answer, Platform, Refused, expect, json_of, only, text, web_address

HOST = "default.01.environment.api.powerplatform.com"
PATH = "/powerautomate/automations/direct/workflows/1f2e3d/triggers/manual/paths/invoke"
QUERY = {"api-version": "1", "sp": "/triggers/manual/run", "sv": "1.0", "sig": "S1gnature"}
LONGEST = 28 * 1024
CARD = "application/vnd.microsoft.card.adaptive"


def error(status, code):
    return Answer(status, {"error": {"code": code, "message": "of the flow"}})


class Teams(Platform):
    ORIGINS = (f"https://{HOST}",)
    KEYS = {"url": "notify_url"}
    VARIABLES = {
        "notify_url": f"https://{HOST}:443{PATH}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=S1gnature"
    }
    ANSWERS = {
        "invalid": error(400, "TriggerInputSchemaMismatch"),
        "unauthorized": error(401, "DirectApiAuthorizationRequired"),
        "deleted": error(404, "WorkflowNotFound"),
        "too-often": Answer(429, {"error": {"code": "WorkflowTriggerThrottled"}}, {"Retry-After": "120"}),
        "busy": error(503, "ServiceUnavailable"),
    }

    def take(self, request):
        expect(request.path == PATH and request.method == "POST", Refused(self.ANSWERS["deleted"], request.target))
        expect(request.query == QUERY, Refused(self.ANSWERS["unauthorized"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        expect(len(request.body) <= LONGEST, refused(f"{len(request.body)} bytes"))
        body = json_of(request, refused)
        only(body, ["type", "attachments"], refused)
        expect(body.get("type") == "message" and len(body["attachments"]) == 1, refused("a message with one card"))
        [attachment] = body["attachments"]
        only(attachment, ["contentType", "contentUrl", "content"], refused, "the attachment")
        expect(attachment["contentType"] == CARD and attachment["contentUrl"] is None, refused("no adaptive card"))
        self.check_card(attachment["content"], refused)
        self.show(body)
        return Answer(202)

    def check_card(self, card, refused):
        only(card, ["$schema", "type", "version", "body", "actions"], refused, "the card")
        expect((card["type"], card["version"]) in [("AdaptiveCard", "1.2"), ("AdaptiveCard", "1.4")], refused("the card"))
        for element in card["body"]:
            if element["type"] == "FactSet":
                only(element, ["type", "facts"], refused, "a FactSet")
                for fact in element["facts"]:
                    only(fact, ["title", "value"], refused, "a fact")
                    text(fact["title"], LONGEST, refused, "a title")
                    text(fact["value"], LONGEST, refused, "a value")
            else:
                keys = ["type", "text", "weight", "wrap", "color", "isSubtle", "size"]
                only(element, keys, refused, "a TextBlock")
                expect(element["type"] == "TextBlock", refused(f"element {element['type']}"))
                text(element["text"], LONGEST, refused, "a text")
        for action in card.get("actions", []):
            # A workflow shows "Something went wrong" for every other action.
            expect(action["type"] == "Action.OpenUrl", refused(f"action {action['type']}"))
            only(action, ["type", "title", "url"], refused, "an action")
            web_address(action["url"], refused, "url")
