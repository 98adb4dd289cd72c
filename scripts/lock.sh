#!/bin/sh
# Compiles the dependency groups of pyproject.toml into pinned, hashed requirements: everything into
# requirements.txt, what each function ships into functions/NAME/requirements.txt, and what the tests run it under into
# tests/images/requirements.txt.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

compile() { # group output extra-options...
    group=$1 output=$2
    shift 2
    "$uv" pip compile --quiet --python-version 3.13 --generate-hashes --no-annotate \
        --custom-compile-command "make lock" --group "$group" "$@" -o "$output"
}

compile all requirements.txt --universal "$@"
compile runtime_interface tests/images/requirements.txt --no-deps "$@"
for folder in functions/*/; do
    name=$(basename "$folder")
    [ "$name" = shared ] || [ "$name" = __pycache__ ] && continue
    # The same versions as in development: the big file constrains the small ones.
    compile "$name" "$folder/requirements.txt" --python-platform aarch64-manylinux_2_28 -c requirements.txt
done
