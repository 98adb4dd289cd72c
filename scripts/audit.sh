#!/bin/sh
# Looks up known vulnerabilities of every pinned package, Python's and npm's. Exit status:
#   0  no package has a known vulnerability
#   1  at least one has
#   3  a service could not be asked: nothing is known about its packages
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
found=0 unknown=0

not_audited() {
    echo "$1: NOT AUDITED, the vulnerability service gave no result: $2" >&2
    unknown=1
}

for requirements in requirements.txt tests/images/requirements.txt; do
    # Without vulnerabilities pip-audit lists only packages that it could not look up. If it fails, it lists nothing.
    if report=$(pip-audit --progress-spinner off --disable-pip --require-hashes -r "$requirements" 2>"$errors"); then
        [ -z "$report" ] || not_audited "$requirements" "$(echo "$report" | tail -n 1)"
    elif [ -n "$report" ]; then
        printf '%s\n%s\n' "$requirements:" "$report"
        found=1
    else
        not_audited "$requirements" "$(tail -n 1 "$errors")"
    fi
done

if ! report=$(npm audit --json 2>"$errors"); then
    case $report in
    *'"vulnerabilities"'*)
        npm audit
        found=1
        ;;
    *) not_audited package-lock.json "$(grep -m 1 'npm error' "$errors")" ;;
    esac
fi

[ $found = 0 ] || exit 1
[ $unknown = 0 ] || exit 3
echo "No known vulnerabilities."
