"""Provisions a person with scim2-client: `scim_client.py URL TOKEN`. Prints what each step found, as JSON."""

import json
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, ResponseParameters, SearchRequest

url, token = sys.argv[1:]
http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
client = SyncSCIMClient(http)
client.discover()
User = client.get_resource_model("User")
emails = [{"value": "alice@a.example", "type": "work", "primary": True}, {"value": "alice@b.example", "type": "home"}]
user = client.create(User(user_name="Alice@a.example", external_id="00u1", title="Engineer", emails=emails))


def found(text):
    return client.query(User, query_parameters=SearchRequest[User](filter=text)).total_results


def patch(**operation):
    return client.modify(User, user.id, PatchOp[User](operations=[PatchOperation(**operation)]))


filters = {
    text: found(text)
    for text in [
        'userName eq "alice@A.example"',
        'emails[type eq "work"].value eq "alice@a.example"',
        'emails[type eq "home" and value ew "b.example"]',
        'emails.value co "@b." and not (title eq "Manager")',
        'title pr and (externalId eq "00u1" or active eq false)',
        'externalId eq "00U1"',
        'meta.created lt "2000-01-01T00:00:00Z"',
    ]
}
changed = patch(op="replace", path='emails[type eq "home"].value', value="a@b.example")
changed = patch(op="add", path="emails", value=[{"value": "a@c.example", "type": "other"}])
addresses = [email.value for email in changed.emails]
removed = [email.value for email in patch(op="remove", path='emails[type eq "other"]').emails]
one = client.query(User, user.id, query_parameters=ResponseParameters(attributes=["emails.value"]))
client.delete(User, user.id)
groups = http.get("/Groups").json()
print(
    json.dumps(
        {
            "filters": list(filters.values()),
            "addresses": addresses,
            "removed": removed,
            "parts": [one.user_name, one.emails[0].value, one.emails[0].type],
            "groups": [groups["totalResults"], groups["Resources"]],
            "left": found('userName eq "alice@a.example"'),
        }
    )
)
