#!/bin/sh
# Writes the bill of materials (CycloneDX) of each function, or of those that are named, to build/sbom/NAME.cdx.json.
# It lists the complete packages, before trimming, so never less than a function ships.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
mkdir -p build/sbom

[ $# -gt 0 ] || set -- $(cd functions && ls -d */Dockerfile | cut -d/ -f1)
for function; do
    uv venv --quiet --clear "$environment"
    uv pip install --quiet --python "$environment" --require-hashes \
        -r "functions/$function/requirements.txt" -c requirements.txt
    # The function's own entry, with its direct dependencies.
    {
        echo '[project]'
        grep -E '^(version|license) = ' pyproject.toml
        printf 'name = "mfa-service.%s"\ndependencies = [\n' "$function"
        sed -n 's/^[a-z].*/    "&",/p' "functions/$function/requirements.txt"
        echo ']'
    } > "$environment/pyproject.toml"
    cyclonedx-py environment --output-reproducible --spec-version 1.6 --output-format JSON \
        --pyproject "$environment/pyproject.toml" --output-file "build/sbom/$function.cdx.json" "$environment"
    echo "build/sbom/$function.cdx.json"
done
