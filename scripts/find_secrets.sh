#!/bin/sh
# Looks for secrets in every file that git tracks or would track. Findings in .ci/secrets.baseline are harmless and
# known; comments in the files do not silence a finding.
set -eu
cd "$(dirname "$0")/.."
baseline=.ci/secrets.baseline

git ls-files -z --cached --others --exclude-standard ":!$baseline" |
    xargs -0 -n 250 -P 2 .venv/bin/detect-secrets-hook --baseline "$baseline" || {
    echo "Remove and revoke each secret above. If a finding is harmless, record it:" >&2
    echo "  .venv/bin/detect-secrets scan --slim --baseline $baseline" >&2
    echo "Then add \"is_secret\": false to its entry." >&2
    exit 1
}
