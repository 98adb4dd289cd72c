"""The Lambda functions of the MFA service, one folder each; ``shared`` holds the code that several of them use."""

import os

from functions.shared import startup

# Lambda sets this variable for every function. Tests and the CDK app import the functions too.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    startup.begin()
