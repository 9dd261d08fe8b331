#!/bin/sh
# What webhook runs for a request that its rule takes. No policy, no ledger.
set -eu
set -f
set -- $1
curl --silent --show-error --fail --request DELETE --header 'content-type: application/json' \
  "$UPSTREAM/v3/project/instances/$2/starrocks/users?user_name=$1" >/dev/null
echo "Removed $1 on $2"
