#!/bin/sh
# Synthesizes prod without credentials, as a pipeline does, and again without a network. Both runs must give the same
# templates.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"
export PATH
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE PYTHONDONTWRITEBYTECODE 2>/dev/null || true

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npx cdk synth --quiet -c environment=prod --output "$folder/prod"

offline=""
if unshare --net --map-root-user true 2>/dev/null; then
    offline="unshare --net --map-root-user"
fi
$offline npx cdk synth --quiet -c environment=prod --output "$folder/again"

cd "$folder"
find prod -name '*.template.json' | sed 's|^prod/||' | while read -r template; do
    cmp "prod/$template" "again/$template"
done
printf '  both runs gave the same templates\n'
