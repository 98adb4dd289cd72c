#!/bin/sh
# Compiles the dependency groups of pyproject.toml:
#   requirements.txt                  every package of the project, pinned and hashed
#   functions/NAME/requirements.txt   the direct dependencies of a function; versions and hashes of everything else
#                                     that it ships come from requirements.txt, as constraints
#   tests/images/requirements.txt     what the tests run the functions under, pinned and hashed
# Options are passed on to uv, for example: scripts/lock.sh --upgrade-package boto3
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

compile() { # group output extra-options...
    group=$1 output=$2
    shift 2
    "$uv" pip compile --quiet --python-version 3.13 --no-annotate --custom-compile-command "make lock" \
        --group "$group" "$@" -o "$output"
}

compile all requirements.txt --universal --generate-hashes "$@"
compile runtime_interface tests/images/requirements.txt --no-deps --generate-hashes "$@"
for dockerfile in functions/*/Dockerfile; do
    folder=$(dirname "$dockerfile")
    compile "$(basename "$folder")" "$folder/requirements.txt" --no-deps
done
