"""What the platforms of this folder share: a request as it arrived, a refusal, and what people see."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json"


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict  # by names in lower case
    body: bytes

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        """The parameters; a repeated one is a fault of the sender."""
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True, strict_parsing=True)
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"a parameter appears twice in {self.target}")
        return dict(pairs)


@dataclass
class Answer:
    """What the platform answers."""

    status: int
    body: object = ""  # text, or anything else as JSON
    headers: dict = field(default_factory=dict)


class Refused(Exception):
    """The platform does not take a request. `answer` is what it says then, `why` what is wrong, for the test."""

    def __init__(self, answer, why):
        super().__init__(why)
        self.answer = answer


class Platform:
    """A platform: `take` checks a request as the platform does, shows the message, and answers."""

    # The origins that it is reached at.
    ORIGINS = ()
    # The keys of its `[[notify]]` table, and the values of the variables that they name.
    KEYS = {}
    VARIABLES = {}
    # Spin variables with the hosts that spin.toml does not name.
    HOSTS = {}
    # Documented answers that a test asks for, by name.
    ANSWERS = {}

    def __init__(self, clock, **_given):
        self.now = clock
        self.messages = []

    def take(self, request):
        raise NotImplementedError

    def show(self, body, thread=None):
        """Shows a new message and returns its number. `thread` is the number of the message that it answers."""
        self.messages.append({"shows": json.dumps(body, ensure_ascii=False), "thread": thread, "edits": 0})
        return len(self.messages) - 1

    def edit(self, number, body):
        message = self.messages[number]
        message["shows"] = json.dumps(body, ensure_ascii=False)
        message["edits"] += 1


def json_of(request, refused):
    """The body, which has to be a JSON object that is declared as one; `refused(why)` makes the refusal."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
        raise refused(f"the content type is {request.headers.get('content-type')}")
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise refused(f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise refused("the body is no object")
    return body


def expect(is_so, refusal):
    if not is_so:
        raise refusal


def only(body, keys, refused, what="the body"):
    """Refuses keys that the platform does not document: it may ignore them, and then the sender is mistaken."""
    if unknown := set(body) - set(keys):
        raise refused(f"{what} has {', '.join(sorted(unknown))}")


def text(value, most, refused, what, unit=len):
    """A text that is not empty and not too long."""
    if not isinstance(value, str) or not value or unit(value) > most:
        raise refused(f"{what} is no text of 1 to {most}: {value!r}")


def web_address(value, refused, what):
    if not isinstance(value, str) or urlsplit(value).scheme != "https" or not urlsplit(value).netloc:
        raise refused(f"{what} is no URL: {value!r}")


def size(value):
    return len(value.encode())
