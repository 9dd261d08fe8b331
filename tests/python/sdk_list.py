"""Lists accounts page by page with the official SDK, removes one, and lists again, as a portal or Terraform does.

    sdk_list.py ENDPOINT ACCESS_KEY SECRET_KEY PROJECT_ID INSTANCE_ID USER_NAME LIMIT

Prints, as JSON: the pages before, what the removal and a look for the name came to, and what the SDK raises for the calls that the
gateway has not.
"""

import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkgaussdb.v3 import (
    CreateStarRocksDatabaseUserRequest,
    DeleteStarRocksDatabaseUserRequest,
    GaussDBClient,
    ShowStarRocksDatabaseUserRequest,
    StarRocksDatabaseUserInfo,
    UpdateStarRocksDatabaseUserPasswordRequest,
    UpdateStarRocksDatabaseUserPermissionRequest,
)

endpoint, access_key, secret_key, project_id, instance_id, user_name, limit = sys.argv[1:]

client = (
    GaussDBClient.new_builder()
    .with_credentials(BasicCredentials(access_key, secret_key, project_id))
    .with_endpoint(endpoint)
    .build()
)


def page(offset, **filter):
    request = ShowStarRocksDatabaseUserRequest(instance_id=instance_id, limit=int(limit), offset=offset, **filter)
    response = client.show_star_rocks_database_user(request)
    return [details.user_name for details in response.user_details], response.total_count


def raised(call, request):
    try:
        call(request)
        return None
    except ServiceResponseException as error:
        return [error.status_code, error.error_code]


pages, offset = [], 0
while True:
    names, total = page(offset)
    pages.append(names)
    offset += len(names)
    if not names or offset >= total:
        break
removed = client.delete_star_rocks_database_user(
    DeleteStarRocksDatabaseUserRequest(instance_id=instance_id, user_name=user_name)
).result
after, _ = page(0, user_name=user_name)
others = [
    raised(
        client.create_star_rocks_database_user,
        CreateStarRocksDatabaseUserRequest(instance_id=instance_id, body=StarRocksDatabaseUserInfo(user_name="new_user")),
    ),
    raised(
        client.update_star_rocks_database_user_password,
        UpdateStarRocksDatabaseUserPasswordRequest(instance_id=instance_id),
    ),
    raised(
        client.update_star_rocks_database_user_permission,
        UpdateStarRocksDatabaseUserPermissionRequest(instance_id=instance_id),
    ),
]
print(json.dumps({"pages": pages, "total": total, "removed": removed, "after": after, "others": others}))
