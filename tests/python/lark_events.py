"""Feishu's own SDK reads a request: `lark_events.py ENCRYPT_KEY VERIFICATION_TOKEN REQUEST`.

REQUEST is JSON, `{"headers": [[name, value], …], "body": "…"}`. What is printed is the status and the body that the SDK's
dispatcher answers, and what it read: the event's id, who, and what.
"""

import json
import logging
import sys

import lark_oapi as lark
from lark_oapi.core.model import RawRequest
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse


def main(encrypt_key, token, given):
    logging.disable(logging.CRITICAL)
    seen = []

    def message(event):
        seen.append([event.header.event_id, event.event.sender.sender_id.open_id, event.event.message.content])

    def click(event):
        seen.append([event.header.event_id, event.event.operator.open_id, event.event.action.value])
        return P2CardActionTriggerResponse({})

    builder = lark.EventDispatcherHandler.builder(encrypt_key, token)
    builder = builder.register_p2_im_message_receive_v1(message).register_p2_card_action_trigger(click)
    dispatcher = builder.build()
    given = json.loads(given)
    request = RawRequest()
    request.uri, request.headers, request.body = "/", dict(given["headers"]), given["body"].encode()
    answer = dispatcher.do(request)
    print(json.dumps({"status": answer.status_code, "body": json.loads(answer.content), "seen": seen}))


if __name__ == "__main__":
    main(*sys.argv[1:])
