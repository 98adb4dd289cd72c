#!/bin/sh
# Runs the smoke test against an environment on AWS. Where its tokens come from an issuer of its own, one is asked for
# with the client credentials of TOKEN_URL, CLIENT_ID and CLIENT_SECRET; else a user is made in its user pool.
set -eu
cd "$(dirname "$0")/.."
environment=$1

if [ -n "${TOKEN_URL:-}" ]; then
    # The secret goes in by standard input: a list of processes shows arguments.
    answer=$(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET" |
        curl --silent --show-error --fail --config - --data grant_type=client_credentials "$TOKEN_URL")
    MFA_SMOKE_TOKEN=$(printf '%s' "$answer" | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
    export MFA_SMOKE_TOKEN
    if [ -n "${GITHUB_ACTIONS:-}" ]; then
        echo "::add-mask::$MFA_SMOKE_TOKEN"
    fi
fi
exec .venv/bin/python -m tests.smoke --environment "$environment"
