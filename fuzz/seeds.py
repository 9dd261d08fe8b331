"""Makes fuzz/corpus out of tests/fixtures: one small file for each case. Run it anew when fixtures change:

    python3 fuzz/seeds.py

It needs Python 3.11 and the package `cryptography` (tests/python/requirements.txt has it). Files that it made before go;
those that a run of libFuzzer added (their names are 40 hexadecimal digits) stay.
"""

import importlib.util
import json
import re
import shutil
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote_plus

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
CORPUS = ROOT / "fuzz" / "corpus"
NOW = 1_780_308_000
LARGEST = 12_000
RAW, PROVED, ANOTHERS, READ = range(4)


def main():
    sys.dont_write_bytecode = True
    for old in CORPUS.glob("*/*"):
        if not re.fullmatch("[0-9a-f]{40}", old.name):
            old.unlink()
    callers()
    chat()
    answers()
    keys_and_tokens()
    configurations()
    signatures()
    readers()
    searches()
    filters()
    stories()
    files = list(CORPUS.glob("*/*"))
    print(f"{len(files)} files, {sum(file.stat().st_size for file in files)} bytes")


def write(target, name, data):
    if isinstance(data, str):
        data = data.encode()
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    # What is large is the same as what is small, only slower.
    if len(data) <= LARGEST:
        (folder / name).write_bytes(data)


def toml(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def folders():
    """As `src/kinds.rs` counts them."""
    source = (ROOT / "fuzz" / "src" / "kinds.rs").read_text(encoding="utf-8")
    block = source[source.index("FOLDERS: [&str") :].split("];")[0]
    return re.findall(r'^ {4}"([a-z0-9-]+)",', block, re.MULTILINE)


def http(made, body=None):
    headers = "".join(f"{name}: {value}\n" for name, value in made["headers"])
    return f"{made['method']} {made['target']}\n{headers}\n{made['body'] if body is None else body}".encode()


class Platform:
    """A folder of tests/fixtures/callers."""

    def __init__(self, folder):
        self.path = FIXTURES / "callers" / folder
        spec = importlib.util.spec_from_file_location(f"platform_{folder}", self.path / "platform.py")
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.toml = toml(self.path / "caller.toml")
        self.name = re.search(r'name = "([^"]+)"', self.toml["caller"]).group(1)
        self.plain = None
        inner = getattr(self.module, "PLATFORM", self.module)
        for encrypts in ("encrypt", "encrypted"):
            if hasattr(inner, encrypts):
                setattr(inner, encrypts, self.listening(getattr(inner, encrypts), inner.__name__))

    def listening(self, encrypts, module):
        """The same, and what is encrypted is remembered."""

        def listened(*given):
            texts = [text for text in given if isinstance(text, str)]
            self.plain = max(texts, key=lambda text: (text.startswith(("{", "<")), len(text)))
            return encrypts(*given)

        return listened

    def request(self, say, secret=None, body=None):
        self.plain = None
        ask = {"now": NOW, "caller": self.name, "host": "localhost", "nonce": "n0", "say": say}
        ask["secret"] = secret or self.toml["secret"]
        if body is not None:
            ask["body"] = body
        return self.module.request(ask)

    def steps(self):
        # The base request first: other cases send the same one.
        for path in sorted(self.path.glob("*.toml"), key=lambda path: (path.stem != "removed", path.name)):
            if path.name == "caller.toml":
                continue
            case = toml(path)
            for number, step in enumerate(case["step"]):
                if number and "say" not in step and "body" not in step:
                    continue
                say = json.loads(json.dumps(step.get("say", self.toml["say"])).replace("{reference}", "K7Q2M9XA"))
                try:
                    made = self.request(say, case.get("secret"), step.get("body"))
                except Exception as error:  # A case that the platform cannot play alone is none for us.
                    print(f"{path}: {error!r}")
                    continue
                made["headers"] = made["headers"] + [[name, value] for name, value in step.get("headers", {}).items()]
                yield f"{path.stem}-{number}", made


def callers():
    places, seen = folders(), set()
    for place, folder in enumerate(places):
        platform = Platform(folder)
        asked = place >= 24
        for name, made in platform.steps():
            plain = platform.plain
            first = name.endswith("-0")
            request = (made["body"], made["target"], str(made["headers"]), place)
            if request in seen and not asked:
                continue
            seen.add(request)
            for number, way in enumerate((RAW, PROVED, READ)):
                # Each case in the way that reaches furthest; the base request in every way.
                if name != "removed-0" and way != (READ if plain else PROVED if not asked else RAW):
                    continue
                if asked and not first:
                    continue
                body = plain if plain and way == READ else None
                data = bytes([place, way]) + http(made, body)
                write("caller", f"{folder}{'-asked' if asked else ''}-{name}-{way}", data)
        if (platform.path / "removed.toml").exists():
            write("caller", f"{folder}-anothers", bytes([place, ANOTHERS]) + http(platform.request(platform.toml["say"])))


def chat():
    texts = {
        "removed": "alice analytics",
        "reason": "alice analytics left the company",
        "dry-run": "alice --dry-run analytics  left",
        "confirm": "confirm K7Q2M9XA",
        "approve": "approve k7q2m9xa",
        "deny": "deny K7Q2M9XA not her account",
        "status": "status 01a20cdd732b69ed97f48586a60db1dd",
        "status-account": "status analytics left",
        "pending": "pending",
        "help": "help",
        "protected": "etl_night analytics",
        "root": "ROOT warehouse 原因",
        "one": "alice",
    }
    for name, text in texts.items():
        write("chat", name, text)
    for path in ("commands", "instances", "user-names"):
        for case in toml(FIXTURES / "bad-input" / f"{path}.toml")["case"]:
            text = case.get("request", {}).get("text")
            if isinstance(text, str):
                write("chat", case["name"], text)
    seen = set(texts.values())
    for name, text in [*typed(), *grammar()]:
        if text and text not in seen:
            seen.add(text)
            write("chat", name, text)
    # Behind `%%` stand the names of people whom a message mentions.
    for name, parts in {
        "mentions-a-colleague": ["@_user_1 alice analytics asked by @_user_2", "Dana"],
        "mentions-in-the-place-of-an-account": ["@_user_2 analytics", "Dana Lee", "Erin"],
        "mentions-of-mentions": ["alice analytics @_user_2 @_user_3", "@_user_3 @_user_2", "@_user_2"],
        "mentions-in-teams": ["<at>Dana</at> alice analytics <at id=\"1\">Erin</at>&nbsp;R&amp;D", "Dana", "Erin"],
    }.items():
        write("chat", name, "\n%%\n".join(parts))


def typed():
    """What people type in the cases of the chat platforms."""
    for folder in ("slack", "mattermost", "teams", "discord", "google-chat", "feishu", "dingtalk", "wecom", "wecom-bot"):
        for path in sorted((FIXTURES / "callers" / folder).glob("*.toml")):
            for number, step in enumerate(toml(path).get("step", [])):
                say = step.get("say", {})
                text = say.get("raw", say.get("text"))
                if isinstance(text, str):
                    yield f"{folder}-{path.stem}-{number}", text.replace("{reference}", "K7Q2M9XA")


def grammar():
    """The tables of the grammar's own tests: pairs of what is typed and what it is read as."""
    source = (ROOT / "src" / "callers" / "chat" / "grammar" / "tests.rs").read_text(encoding="utf-8")
    text = r'"((?:[^"\\]|\\.)*)"'
    for test in re.split(r"\nfn ", source)[1:]:
        name = test.split("(", 1)[0].replace("_", "-")
        for number, found in enumerate(re.finditer(rf"^ {{8}}\({text}, {text}\),$", test, re.MULTILINE)):
            yield f"{name}-{number}", unescaped(found.group(1))


def unescaped(literal):
    """The text that a literal of Rust stands for."""
    marks = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
    return re.sub(r"\\u\{([0-9a-f]+)\}|\\(.)", lambda m: chr(int(m[1], 16)) if m[1] else marks.get(m[2], m[2]), literal)


HANGS = {"hang-up": "broken", "hang-up-after-the-effect": "broken\neffect: 1"}


def answer(given):
    if "status" not in given:
        return None
    head = [str(given["status"])]
    head += [f"content-type: {given['content_type']}"] if "content_type" in given else []
    head += [f"{name}: {value}" for name, value in given.get("headers", {}).items() if "\n" not in str(value)]
    return "\n".join(head) + "\n\n" + given.get("body", "")


LIST = '200\n\n{"user_details":[{"user_name":"alice2"},{"user_name":"bob"}],"total_count":2}'


def answers():
    for path in sorted((FIXTURES / "upstream").glob("*.toml")):
        file = toml(path)
        made = [one for one in map(answer, file["answers"]) if one is not None] or [HANGS.get(path.stem, "broken")]
        write("upstream", f"upstream-{path.stem}", b"\0" + "\n%%\n".join(made).encode())
        # And the list after it, where the answer says nothing certain.
        if any(expected.get("list") == "down" for expected in file["expect"]):
            bits = bytes([1 << len(made)])
            write("upstream", f"settled-{path.stem}-list", bits + "\n%%\n".join([*made, LIST]).encode())
    for name, parts in {
        "list-empty": ["broken", '200\n\n{"user_details":[],"total_count":0}'],
        "list-changed": ["broken", '200\n\n{"user_details":[{"user_name":"a"}],"total_count":3}'],
        "list-down": ["broken", "500\n\n"],
        "list-pages": ["broken\neffect: 1", '200\n\n{"user_details":[{"user_name":"a"}],"total_count":2}'],
    }.items():
        write("upstream", name, b"\2" + "\n%%\n".join(parts).encode())
    for name, text in {
        "throttled": "429\nretry-after: 2\n\n{\"error_code\":\"APIGW.0308\",\"error_msg\":\"m\"}\n%%\n200\n\n{\"result\":\"SUCCESS\"}",
        "unavailable": "503\nretry-after: Mon, 01 Jun 2026 10:00:09 GMT\n\n\n%%\nnot sent",
        "slow": "200\nmilliseconds: 21000\neffect: 1\n\n{\"result\":\"SUCCESS\"}",
        "timed-out": "first byte timed out\neffect: 1",
        "connect": "connect timed out\nmilliseconds: 3000\n%%\nnot allowed",
        "echo": "401\n\n{\"error_code\":\"APIGW.0301\",\"error_msg\":\"canonicalRequest {credential} \"}",
        "odd-id": "200\nx-request-id: a b\n\n{\"result\":\"SUCCESS\"}",
    }.items():
        write("upstream", name, b"\0" + text.encode())


TOKEN = '201\nx-subject-token: MIIEabcdefghijklmnop\n\n{"token":{"expires_at":"2026-06-02T10:00:00.123000Z"}}'


def keys_and_tokens():
    for name, (way, text) in {
        "token": (0, TOKEN),
        "token-refused-later": (4, f"{TOKEN}\n%%\n{TOKEN}"),
        "agency": (2, f"{TOKEN}\n%%\n{TOKEN}"),
        "agency-refused": (2, f"{TOKEN}\n%%\n401\n\n{{\"error\":{{\"code\":401,\"message\":\"m\",\"title\":\"Unauthorized\"}}}}"),
        "locked": (0, '401\n\n{"error_code":"IAM.0011","error_msg":"locked"}'),
        "no-end": (0, "201\nx-subject-token: MIIEabcdefghijklmnop\n\n{}"),
        "no-token": (0, '201\n\n{"token":{"expires_at":"2026-06-02T10:00:00Z"}}'),
        "short": (0, TOKEN.replace("06-02T10", "06-01T10").replace("00.123", "30.000")),
        "past": (0, TOKEN.replace("2026", "1926")),
        "far": (0, TOKEN.replace("2026", "+262142")),
        "throttled": (0, f"429\nretry-after: 1\n\n\n%%\n{TOKEN}"),
        "html": (0, "502\n\n<html>"),
        "slow": (0, TOKEN.replace("201\n", "201\nmilliseconds: 14000\n")),
    }.items():
        write("iam", name, bytes([way]) + text.encode())
    sets = [FIXTURES / "callers" / name / "jwks.json" for name in ("api-token", "google-chat")]
    for path in sets:
        text = path.read_text(encoding="utf-8")
        write("iam", f"keys-{path.parent.name}", b"\1" + text.encode())
        for number, key in enumerate(json.loads(text)["keys"]):
            write("iam", f"key-{path.parent.name}-{number}", b"\1" + json.dumps({"keys": [key]}).encode())

    platform = Platform("api-token")
    for name, made in platform.steps():
        given = dict((key.lower(), value) for key, value in made["headers"])
        token = given.get("authorization", "").removeprefix("Bearer ")
        if token:
            write("token", f"raw-{name}", b"\0" + token.encode())
    claims = {
        "iss": "https://login.example.com/realms/staff", "aud": ["account", "starrocks-offboard"], "sub": "dana",
        "azp": "portal", "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 300, "groups": ["dba"], "jti": "1",
    }
    header = '{"alg":"EdDSA","kid":"ed","typ":"JWT"}'
    for name, changed in {
        "usual": {},
        "aud-is-text": {"aud": "another"},
        "ended": {"exp": NOW},
        "fraction": {"exp": NOW + 0.5, "iat": NOW + 59.9},
        "huge": {"exp": 1e300},
        "groups-text": {"groups": "dba"},
        "subject-long": {"sub": "s" * 256},
    }.items():
        write("token", f"signed-{name}", b"\7" + f"{header}\n\n{json.dumps(claims | changed)}".encode())
    write("token", "signed-header-alone", b"\3" + json.dumps(claims).encode())
    write("token", "signed-crit", b"\1" + f'{{"alg":"EdDSA","crit":["b64"]}}\n\n{json.dumps(claims)}'.encode())
    write("token", "signed-doubled", b"\1" + f"{header}\n\n{json.dumps(claims)[:-1]}, \"sub\": \"erin\"}}".encode())


def configurations():
    texts = {file: (ROOT / "config" / file).read_text(encoding="utf-8") for file in ("offboard.toml", "policy.cedar", "schema.cedarschema")}
    for way, (file, text) in enumerate(texts.items()):
        write("config", file, bytes([way]) + text.encode())
    lines = texts["offboard.toml"].split("\n\n")
    small = lambda text: "\n".join(line.split("#")[0].rstrip() for line in text.splitlines() if line.split("#")[0].strip())
    write("config", "offboard-small", b"\0" + small(texts["offboard.toml"]).encode())
    for place in range(len(lines)):
        write("config", f"offboard-without-{place}", b"\0" + small("\n\n".join(lines[:place] + lines[place + 1 :])).encode())
    for number, policy in enumerate(re.split(r"\n(?=//)", texts["policy.cedar"])):
        if "@id" in policy:
            write("config", f"policy-{number}", b"\1" + policy.encode())
    write("config", "all", b"\3" + "\n%%\n".join([small(texts["offboard.toml"]), 'permit(principal, action, resource);', texts["schema.cedarschema"]]).encode())
    for folder in dict.fromkeys(folders()):
        caller = toml(FIXTURES / "callers" / folder / "caller.toml")
        before, rest = small(texts["offboard.toml"]).split("[[caller]]", 1)
        write("config", f"caller-{folder}", b"\0" + f"{before}{caller['caller']}\n{caller.get('config', '')}".encode())


def signatures():
    for path in sorted((FIXTURES / "signing").glob("*/request.json")):
        name, made = path.parent.name, json.loads(path.read_text(encoding="utf-8"))
        write("signature", f"value-{name}", b"\0" + (path.parent / "authorization.txt").read_bytes().strip())
        headers = [[key, value] for key, value in made["headers"].items()]
        wire = {"method": made["method"], "target": made["uri"], "headers": headers, "body": made["body"]}
        write("signature", f"request-{name}", b"\1" + http(wire))
    for name, made in Platform("http-signature").steps():
        write("signature", f"fields-{name}", b"\2" + http(made))


def readers():
    for name, text in {
        "json": '{"a":{"b":[1,2.5e3,"\\u00e9\\ud83d\\ude00",null,true]},"c":-0}',
        "json-doubled": '{"a":1,"\\u0061":2}',
        "json-deep": "[" * 130 + "]" * 130,
        "json-number": "123456789012345678901234567890.5e-400",
    }.items():
        write("strict", name, b"\0" + text.encode())
    for name, text in {
        "form": "command=%2Foffboard&user_id=U2CERLKJA&text=alice+analytics+%E5%8E%9F",
        "form-doubled": "a=1&a=2",
        "form-lists": "user_mentions=a&user_mentions=b&text=x",
        "form-empty": "a=&&=b&c",
    }.items():
        write("strict", name, b"\1" + text.encode())
    for name, text in {"percent": "a%2Fb%20c%zz%e5%8e%9f", "seconds": "1780308000", "zero": "0"}.items():
        write("strict", name, b"\2" + text.encode())
    platform = Platform("wecom")
    for name, _ in platform.steps():
        write("strict", f"xml-{name}", b"\3" + (platform.plain or "").encode())
    write("strict", "xml-cdata", b"\3<xml><a><![CDATA[x]]>y</a><!-- c --><?p?><b c='d'/>&amp;&#65;</xml>")


def searches():
    for name, text in {
        "all": "\n",
        "csv": "text/csv\nstate=removed&limit=2",
        "lines": "application/x-ndjson;q=0.1, */*\ninstance=analytics&user_name=alice",
        "times": "*/*\nsince=2026-06-01T09:58:20Z&until=2026-06-01T11:58:22.5%2B02:00",
        "until": "\nuntil=2026-06-01T09:58:22Z",
        "since": "\nsince=2026-06-01T09:58:22Z&limit=5",
        "cursor": "\ncursor=00000000000000000000000000000003&limit=500",
        "actor": "\nactor=slack%2FU2CERLKJA&state=denied",
        "limit": "\nlimit=501",
        "unknown": "\nuser=alice",
        "formula": "text/csv\nuser_name=%3D1%2B1",
    }.items():
        write("search", name, text)


def filters():
    """The filters and PATCH operations of the cases of SCIM."""
    number = 0
    for path in sorted((FIXTURES / "callers" / "scim").glob("*.toml")):
        for step in toml(path).get("step", []):
            say = step.get("say", {})
            found = re.search(r"filter=([^&]+)", say.get("path", ""))
            for text in [unquote_plus(found.group(1))] if found else [say["filter"]] if "filter" in say else []:
                write("filter", f"filter-{path.stem}-{number}", b"\0" + text.encode())
                number += 1
            operations = say.get("json", say).get("Operations", say.get("operations", [])) if isinstance(say.get("json", say), dict) else []
            for operation in operations if isinstance(operations, list) else []:
                way = {"remove": 1, "add": 2}.get(operation.get("op", "").lower(), 3)
                change = f"{operation.get('path', '')}\n{json.dumps(operation.get('value'))}"
                write("filter", f"change-{path.stem}-{number}", bytes([way]) + change.encode())
                number += 1


def variant(place, count):
    """As `Arbitrary` chooses one of so many."""
    return (-(-place * 2**32 // count)).to_bytes(4, "little")


def how(proof=0, fails=0, dies=0, turns=0, patience=0, slow=0, problem=0):
    return variant(proof, 6) + bytes([fails, dies]) + turns.to_bytes(2, "little") + bytes([patience, slow]) + variant(problem, 5)


SLACK, PORTAL, HR, OKTA = ((lambda who=0, place=place: variant(place, 4) + (bytes([who]) if place < 2 else b"")) for place in range(4))
DANA, ERIN, FAY, STRANGER = range(4)
CONFIRM, APPROVE, CANCEL, DENY = range(4)


def remove(account=0, production=0, reason=0, dry_run=0):
    return variant(0, 8) + bytes([account, production, reason, dry_run])


def decide(word, which=0, click=0, why=0):
    return variant(1, 8) + bytes([word, which, click, why])


def action(place, *parts):
    return variant(place, 11) + b"".join(parts)


def asks(who, what, **given):
    return action(0, who, what, how(**given))


def both(who, what, who_too, what_too, turns=0x5555, **given):
    return action(1, who, what, how(turns=turns, **given), who_too, what_too, how(turns=~turns & 0xFFFF))


def again(which=0, **given):
    return action(2, bytes([which]), how(**given))


def twice(which=0, turns=0x5555):
    return action(3, bytes([which]), how(turns=turns), how(turns=~turns & 0xFFFF))


def copies(who, what, turns=0x5555, **given):
    return action(10, who, what, how(turns=turns, **given), how(turns=~turns & 0xFFFF))


def passes(unit, number):
    return action(4, variant(unit, 4), bytes([number]))


def odd(of, said, more=b"", tenths=0, effect=0):
    return action(7, variant(of, 4), variant(said, 15), more, bytes([tenths, effect]))


def stories():
    status, pending, listing = variant(2, 8) + b"\0", variant(3, 8), variant(5, 8) + b"\1"
    restart, configured = action(5), lambda number: action(6, bytes([number]))
    dana, erin, fay, stranger = (SLACK(who) for who in range(4))
    asked, confirmed = asks(dana, remove()), asks(dana, decide(CONFIRM))
    wanted = asks(dana, remove(production=1)) + asks(dana, decide(CONFIRM, click=1))
    for name, (number, acts) in {
        "confirmed": (0, asked + confirmed + again() + asks(dana, status)),
        "at-once": (1, asked + again() + passes(1, 2) + asked),
        "portal": (1, asks(PORTAL(0), remove()) + again() + asks(PORTAL(0), listing) + asks(PORTAL(1), status)),
        "approved": (0, wanted + asks(erin, decide(APPROVE)) + again()),
        "approved-by-click": (0, wanted + asks(fay, decide(APPROVE, click=1)) + asks(erin, decide(DENY, click=1))),
        "own": (0, wanted + asks(dana, decide(APPROVE)) + asks(PORTAL(0), decide(APPROVE)) + asks(stranger, decide(APPROVE))),
        "two-approve": (2, wanted + asks(erin, decide(APPROVE)) + asks(PORTAL(1), decide(APPROVE)) + asks(fay, decide(APPROVE))),
        "denied": (0, wanted + asks(erin, decide(DENY, why=1)) + asks(erin, decide(APPROVE))),
        "cancelled": (0, asked + asks(dana, decide(CANCEL)) + confirmed),
        "expired": (0, asked + passes(1, 6) + confirmed + wanted + passes(2, 25) + asks(erin, decide(APPROVE))),
        "twice-at-once": (1, asked + twice() + asks(PORTAL(0), remove(account=1)) + twice(turns=0x0F0F)),
        "copies": (1, copies(PORTAL(0), remove()) + copies(dana, remove(account=1), turns=0xFFFF) + copies(HR(), remove(production=1))),
        "copies-one-after-the-other": (1, copies(PORTAL(0), remove(), turns=0x0FFF) + copies(PORTAL(1), remove(account=1), turns=0xFFF8)),
        "copies-of-what-was-not-sent": (1, odd(0, 1) + asked + twice() + odd(0, 1) + asks(HR(), remove()) + twice(turns=0x00FF)),
        "two-approve-at-once": (0, wanted + both(erin, decide(APPROVE), fay, decide(APPROVE)) + asks(dana, pending)),
        "confirm-and-cancel-at-once": (0, asked + both(dana, decide(CONFIRM), dana, decide(CANCEL))),
        "brake": (1, b"".join(asks(PORTAL(0), remove(account=account)) + passes(0, 1) for account in (0, 1, 3, 2, 0))),
        "brake-at-once": (1, asks(PORTAL(0), remove()) + asks(PORTAL(0), remove(account=1)) + both(PORTAL(0), remove(account=2), PORTAL(0), remove(account=3))),
        "brake-at-once-too": (1, asks(PORTAL(0), remove()) + asks(PORTAL(0), remove(account=1)) + both(PORTAL(0), remove(account=2), PORTAL(0), remove(account=3), turns=0xFFFF)),
        "brake-at-confirmation": (0, b"".join(asks(dana, remove(account=account)) for account in (0, 1, 2, 3)) + b"".join(asks(dana, decide(CONFIRM, which)) for which in (3, 2)) + both(dana, decide(CONFIRM, 1), dana, decide(CONFIRM, 0))),
        "reserved": (1, b"".join(asks(PORTAL(0), remove(account=account)) for account in (4, 5, 6, 7))),
        "dry-run": (0, asks(dana, remove(dry_run=1)) + asks(stranger, remove())),
        "not-proved": (1, asks(dana, remove(), proof=3) + asks(PORTAL(0), remove(), proof=4) + asks(HR(), remove(), proof=5)),
        "unknown": (1, odd(0, 5, effect=1) + odd(1, 13, b"\x2c\1\0", 0) + asked + passes(1, 1) + again() + asks(PORTAL(0), status)),
        "unknown-and-another": (1, odd(0, 5) + odd(1, 5) + asked + passes(0, 60) + asks(erin, remove())),
        "not-sent": (1, odd(0, 0) + odd(0, 1) + asked + again()),
        "throttled": (1, odd(0, 9, b"\1\2") + odd(0, 8, b"\0") + asked),
        "unavailable": (1, odd(0, 10, b"\0") + asked + again()),
        "slow": (1, odd(0, 6, tenths=100) + asks(dana, remove(), patience=1) + odd(0, 6, tenths=210) + asks(erin, remove(account=1))),
        "echo": (2, odd(0, 12) + odd(0, 12) + asks(PORTAL(0), remove()) + passes(0, 1) + asks(PORTAL(0), remove())),
        "token-refused": (2, asks(PORTAL(0), remove()) + odd(0, 11) + asks(PORTAL(1), remove(account=1)) + odd(2, 13, b"\xc9\0\0")),
        "echo-of-a-signature": (1, odd(0, 12) + asks(PORTAL(0), remove()) + again()),
        "iam-down": (2, odd(2, 5) + asks(PORTAL(0), remove()) + again() + odd(2, 9, b"\0") + restart + asks(HR(), remove())),
        "okta": (0, asks(OKTA(), remove()) + again() + asks(erin, decide(APPROVE)) + asks(fay, decide(APPROVE, 1)) + again(2)),
        "okta-odd": (0, odd(1, 13, b"\x2c\1\0") + asks(OKTA(), remove(account=1)) + odd(0, 5) + again() + passes(1, 2) + again()),
        "hr": (1, asks(HR(), remove(reason=1)) + again() + asks(HR(), remove(production=1)) + asks(HR(), decide(APPROVE)) + asks(HR(), pending)),
        "dies": (1, asks(PORTAL(0), remove(), dies=207) + restart + again() + passes(1, 1) + again()),
        "dies-later": (1, asks(PORTAL(0), remove(), dies=211) + passes(1, 1) + restart + again() + again()),
        "dies-at-approval": (0, wanted + asks(erin, decide(APPROVE), dies=218) + passes(1, 1) + asks(erin, decide(APPROVE)) + again(2)),
        "ledger-fails": (1, b"".join(asks(PORTAL(0), remove(account=number % 3), fails=160 + number) for number in range(12))),
        "ledger-fails-at-approval": (0, wanted + b"".join(asks(erin, decide(APPROVE), fails=160 + number) for number in range(14))),
        "ledger-slow": (1, asks(PORTAL(0), remove(), slow=240) + again() + passes(1, 1) + again()),
        "changed": (0, wanted + configured(3) + asks(erin, decide(APPROVE)) + configured(0) + asks(erin, decide(APPROVE))),
        "changed-to-production": (0, asked + configured(4) + confirmed + asks(erin, decide(APPROVE))),
        "created-anew": (0, asks(OKTA(), remove()) + action(8, b"\0\0") + again() + passes(2, 2) + again()),
        "unset": (1, action(9, b"\0") + asked + action(9, b"\1") + asks(PORTAL(0), remove()) + action(9, b"\1") + again()),
        "bodies": (0, asks(dana, remove(), problem=3) + asks(PORTAL(0), remove(), problem=4)),
        "own-account": (0, asks(dana, remove(account=2, production=1)) + confirmed + asks(PORTAL(0), remove(account=2, production=1))),
    }.items():
        write("story", name, bytes([number]) + acts)


if __name__ == "__main__":
    shutil.rmtree(CORPUS / "__pycache__", ignore_errors=True)
    main()
