"""Removes an account with the official SDK, as a portal does: nothing but the endpoint is another one.

    sdk_delete.py ENDPOINT ACCESS_KEY SECRET_KEY PROJECT_ID INSTANCE_ID USER_NAME [LANGUAGE]

Prints what the SDK made of the answer, as JSON.
"""

import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkgaussdb.v3 import DeleteStarRocksDatabaseUserRequest, GaussDBClient

endpoint, access_key, secret_key, project_id, instance_id, user_name, *language = sys.argv[1:]

client = (
    GaussDBClient.new_builder()
    .with_credentials(BasicCredentials(access_key, secret_key, project_id))
    .with_endpoint(endpoint)
    .build()
)
request = DeleteStarRocksDatabaseUserRequest(instance_id=instance_id, user_name=user_name)
if language:
    request.x_language = language[0]

try:
    response = client.delete_star_rocks_database_user(request)
    told = {"status": response.status_code, "result": response.result}
except ServiceResponseException as error:
    told = {
        "raised": type(error).__name__,
        "status": error.status_code,
        "error_code": error.error_code,
        "error_msg": error.error_msg,
        "request_id": error.request_id,
    }
print(json.dumps(told))
