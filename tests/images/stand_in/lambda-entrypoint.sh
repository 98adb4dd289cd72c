#!/bin/sh
# As in the base that this stands in for: where Lambda itself is not there, its emulator is.
set -eu
if [ -z "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
    exec /usr/local/bin/aws-lambda-rie /usr/local/bin/python -m awslambdaric "$@"
fi
exec /usr/local/bin/python -m awslambdaric "$@"
