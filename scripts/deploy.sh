#!/bin/sh
# Deploys an environment as the pipeline does, or prints the changes that a deployment would make, as Markdown:
#   scripts/deploy.sh diff prod
#   scripts/deploy.sh deploy prod -c traffic_shift=all-at-once
# Settings come from ENVIRONMENT.toml if it exists.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"
export PATH

[ $# -ge 2 ] || { echo "usage: $0 diff|deploy ENVIRONMENT [CDK OPTION...]" >&2; exit 2; }
command=$1 environment=$2
shift 2
set -- "mfa-$environment/*" -c "environment=$environment" "$@"
if [ -f "$environment.toml" ]; then
    set -- "$@" -c "config=$environment.toml"
fi

case $command in
diff)
    difference=$(cdk diff --no-color --method=template "$@" 2>&1) || { echo "$difference" >&2; exit 1; }
    # A job summary holds 1 MiB.
    printf '## What changes in %s\n\n```diff\n%s\n```\n' "$environment" "$(printf '%s' "$difference" | head -c 900000)"
    ;;
deploy)
    python -m tools.unprotect "$environment"
    cdk deploy --require-approval never --progress events "$@"
    ;;
*)
    echo "$0: diff or deploy, not $command" >&2
    exit 2
    ;;
esac
