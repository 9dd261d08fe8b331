"""Huawei Cloud SMN: messages are published to a topic, in requests that the access key signs.

https://support.huaweicloud.com/intl/en-us/api-smn/PublishMessage.html, https://support.huaweicloud.com/intl/en-us/api-smn/smn_api_65002.html
The signature is made once more by Huawei Cloud's own SDK, which also has the keys of the body.
"""

import json
import re
from datetime import datetime, timezone
from types import SimpleNamespace

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdksmn.v2 import PublishMessageRequestBody

from .platform import Answer, Platform, Refused, expect, json_of, only, size, text

REGION, PROJECT = "ap-southeast-3", "23a50154cf494ec9ad6883979a12db0a"
TOPIC = f"urn:smn:{REGION}:{PROJECT}:approvers"
HOST = f"smn.{REGION}.myhuaweicloud.com"
PATH = f"/v2/{PROJECT}/notifications/topics/{TOPIC}/publish"
AUTHORIZATION = re.compile("SDK-HMAC-SHA256 Access=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def error(status, code):
    return Answer(status, {"request_id": "r", "error_code": code, "error_msg": "of SMN"})


class Smn(Platform):
    ORIGINS = (f"https://{HOST}",)
    KEYS = {"topic": TOPIC}
    ANSWERS = {
        "invalid": error(400, "SMN.0011"),
        "signature": error(401, "APIGW.0301"),
        "forbidden": error(403, "SMN.00010012"),
        "deleted": error(404, "SMN.0014"),
        "too-often": Answer(429, {"error_code": "APIGW.0308", "error_msg": "throttled"}, {"Retry-After": "120"}),
        "busy": error(503, "SMN.0003"),
    }

    def __init__(self, clock, access_key, secret_key, **given):
        super().__init__(clock, **given)
        self.credentials = SimpleNamespace(ak=access_key, sk=secret_key)

    def take(self, request):
        self.check_signature(request)
        is_topic = request.method == "POST" and request.target == PATH
        expect(is_topic, Refused(self.ANSWERS["deleted"], request.target))

        def refused(why):
            return Refused(self.ANSWERS["invalid"], why)

        body = json_of(request, refused)
        only(body, PublishMessageRequestBody.attribute_map.values(), refused)
        text(body["subject"], 512, refused, "subject", size)
        expect(body["subject"][0].isalnum() and body["subject"].isprintable(), refused(body["subject"]))
        messages = json.loads(body["message_structure"])
        only(messages, ["default", "email", "sms", "http", "https"], refused, "message_structure")
        expect("default" in messages, refused("no default message"))
        for message in messages.values():
            text(message, 256 * 1024, refused, "a message", size)
        text(messages.get("sms", "-"), 490, refused, "the short message")
        expect(not set("[]【】") & set(messages.get("sms", "")), refused("brackets in the short message"))
        number = self.show(messages)
        return Answer(200, {"request_id": "r", "message_id": f"{number:032}"})

    def check_signature(self, request):
        def refused(why):
            return Refused(self.ANSWERS["signature"], why)

        given = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        expect(given, refused(request.headers.get("authorization")))
        access_key, names, signature = given.groups()
        names = names.split(";")
        expect(access_key == self.credentials.ak and {"host", "x-sdk-date"} <= set(names), refused(given[0]))
        expect(request.headers["host"] == HOST, refused(request.headers["host"]))
        date = datetime.strptime(request.headers["x-sdk-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        expect(abs(date.timestamp() - self.now()) <= 900, refused(request.headers["x-sdk-date"]))
        again = SdkRequest(
            method=request.method,
            schema="https",
            host=HOST,
            resource_path=request.path,
            query_params=list(request.query.items()) if "?" in request.target else [],
            header_params={name: request.headers[name] for name in names},
            body=request.body,
        )
        signed = Signer(self.credentials).sign(again).header_params["Authorization"]
        expect(signed.rpartition("=")[2] == signature, refused(f"expected {signed}, not {given[0]}"))
