"""What a cold start of the authorizer loads."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys
import functions.jwt_authorizer.handler as handler
handler.lambda_handler({"headers": {"Authorization": "Bearer x"}, "methodArn": "arn"}, None)
print(json.dumps(sorted(sys.modules)))
"""


def test_neither_aws_clients_nor_the_encryption_sdk_nor_pydantic(authorizer_environment: dict[str, str]) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(["."]), **authorizer_environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    loaded = set(json.loads(completed.stdout.splitlines()[-1]))
    assert "functions.jwt_authorizer.service" in loaded
    # Powertools imports the bare botocore package where there is one; it is not in the authorizer's zip.
    assert not loaded & {"boto3", "botocore.client", "botocore.session", "aws_encryption_sdk", "pydantic", "pyotp"}
    assert not {name for name in loaded if name.startswith("functions.") and "authorizer" not in name} - {
        f"functions.shared{module}"
        for module in ("", ".clock", ".contract", ".formats", ".observability", ".request_id", ".settings", ".startup")
    }
