#!/bin/sh
# Prints the licences of the packages that the functions ship, as a Markdown table. Fails for a package that has none of
# the licences below, which require only that the author is named. Adding another one is a legal decision.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH

allowed="Apache-2.0;Apache Software License;Apache-2.0 OR BSD-3-Clause;BSD-2-Clause;BSD-3-Clause;BSD License"
allowed="$allowed;MIT;MIT License;MIT-0;PSF-2.0"

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
uv venv --quiet --clear "$environment"
for requirements in functions/*/requirements.txt; do
    uv pip install --quiet --python "$environment" --require-hashes -r "$requirements" -c requirements.txt
done
pip-licenses --python "$environment/bin/python" --format markdown --no-version --allow-only "$allowed"
