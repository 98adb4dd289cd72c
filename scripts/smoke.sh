#!/bin/sh
# Runs the smoke test against an environment on AWS, or another module of tests that takes the same options:
#   scripts/smoke.sh dev
#   scripts/smoke.sh dev tests.acceptance
# For an external token issuer, set TOKEN_URL, CLIENT_ID and
# CLIENT_SECRET: the token is requested with these client credentials. Otherwise the test creates a user in the
# environment's user pool.
set -eu
cd "$(dirname "$0")/.."
environment=$1 module=${2:-tests.smoke}

if [ -n "${TOKEN_URL:-}" ]; then
    # The secret is passed by standard input, because arguments are visible in the list of processes.
    response=$(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET" |
        curl --silent --show-error --fail --config - --data grant_type=client_credentials "$TOKEN_URL")
    MFA_SMOKE_TOKEN=$(printf '%s' "$response" | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
    export MFA_SMOKE_TOKEN
    if [ -n "${GITHUB_ACTIONS:-}" ]; then
        echo "::add-mask::$MFA_SMOKE_TOKEN"
    fi
fi
exec .venv/bin/python -m "$module" --environment "$environment"
