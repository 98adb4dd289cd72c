#!/bin/sh
# Looks for secrets in every file that git tracks or would track. Findings in .ci/secrets.baseline are harmless and
# known; comments in the files do not silence a finding.
#   scripts/find_secrets.sh            fails if there is a finding that is not in the baseline
#   scripts/find_secrets.sh --record   adds the findings to the baseline, for review
set -eu
cd "$(dirname "$0")/.."
baseline=.ci/secrets.baseline

if [ "${1:-}" = --record ]; then
    .venv/bin/detect-secrets scan --no-verify --baseline "$baseline"
    # Without line numbers the baseline stays the same when a line moves.
    sed -e '/"line_number": [0-9]*,$/d' -e 's/"line_number": [0-9]*$/"is_secret": null/' "$baseline" > "$baseline.new"
    mv "$baseline.new" "$baseline"
    echo "Review the new entries of $baseline. If an entry is harmless, set its \"is_secret\" to false."
    exit
fi

git ls-files -z --cached --others --exclude-standard |
    xargs -0 -n 250 -P 2 .venv/bin/detect-secrets-hook --baseline "$baseline" || {
    echo "Remove and revoke each secret. If a finding is harmless, record it: scripts/find_secrets.sh --record" >&2
    exit 1
}
