"""``docs/openapi.json`` is generated from the current code, valid, and free of lint."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import zxingcpp
from openapi_spec_validator import OpenAPIV31SpecValidator
from PIL import Image

from functions.shared.contract import ENDPOINTS, PROOF_ENDPOINTS, ErrorCode
from infra.constructs.gateway_responses import GATEWAY_RESPONSES
from infra.paths import REPOSITORY
from tests.support.api_description import described_answers, description, operation, resolved
from tools.openapi.document import FILE, text
from tools.openapi.responses import GATEWAY_REASONS, OTHER_GATEWAY_REASONS
from tools.openapi.samples import code_samples

LINTER_RULES = Path(__file__).with_name("redocly.yaml")
_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/]+=*)")


def pixels(data_uri: re.Match[str]) -> str:
    """Return a PNG's pixels: its bytes depend on the zlib that packed it."""
    image = Image.open(io.BytesIO(base64.b64decode(data_uri[1])))
    return f"{image.size} {image.tobytes().hex()}"


def test_the_file_is_what_the_code_says() -> None:
    assert _PNG.sub(pixels, FILE.read_text()) == _PNG.sub(pixels, text()), (
        "docs/openapi.json is out of date: run `make openapi`, then look at the difference"
    )


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(description()).validate()


def test_the_linter_has_nothing_to_say() -> None:
    quiet = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    linted = subprocess.run(
        [REPOSITORY / "node_modules" / ".bin" / "redocly", "lint", "--format=json", f"--config={LINTER_RULES}", FILE],
        cwd=REPOSITORY,
        env=quiet | {"PATH": f"{REPOSITORY / '.venv' / 'bin'}:{quiet['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert json.loads(linted.stdout)["problems"] == []


def test_every_route_is_described_once_in_the_order_of_the_tags() -> None:
    described = [
        (path, method.upper(), each["tags"])
        for path, methods in description()["paths"].items()
        for method, each in methods.items()
    ]
    assert sorted((path, method) for path, method, _ in described) == sorted(
        (route.path, route.method) for route in (*ENDPOINTS, *PROOF_ENDPOINTS)
    )
    tags = [tag["name"] for tag in description()["tags"]]
    assert [tag for _, _, (tag,) in described] == sorted((tag for _, _, (tag,) in described), key=tags.index)


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert description()["info"]["version"] == project["version"]


def test_every_error_code_that_a_route_can_answer_with_is_described() -> None:
    codes = {each.body["error"] for each in described_answers() if each.status != 200}
    assert codes == set(ErrorCode) - {ErrorCode.NOT_FOUND, ErrorCode.UNSUPPORTED_MEDIA_TYPE}


def test_a_status_names_exactly_the_codes_that_its_examples_have() -> None:
    for route in (*ENDPOINTS, *PROOF_ENDPOINTS):
        for status, part in operation(route)["responses"].items():
            if status == "200":
                continue
            content = resolved(part)["content"]["application/json"]
            narrowed = resolved(content["schema"])["allOf"][1]["properties"]["error"]["enum"]
            assert set(narrowed) == {example["value"]["error"] for example in content["examples"].values()}


def test_it_is_accounted_for_every_answer_of_the_gateway() -> None:
    assert not GATEWAY_REASONS.keys() & OTHER_GATEWAY_REASONS.keys()
    assert {answer.reason for answer in GATEWAY_RESPONSES} == GATEWAY_REASONS.keys() | OTHER_GATEWAY_REASONS.keys()


def test_every_answer_says_that_it_may_not_be_stored_or_sniffed() -> None:
    for each in described_answers():
        constants = {name: resolved(header)["schema"].get("const") for name, header in each.response["headers"].items()}
        assert (constants["Cache-Control"], constants["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_a_public_route_needs_no_token_and_may_be_cached() -> None:
    for route in PROOF_ENDPOINTS:
        described = operation(route)
        assert described["security"] == []
        assert set(described["responses"]) == {"200", "403", "413", "429", "500", "503"}
        header = described["responses"]["200"]["headers"]["Cache-Control"]["schema"]
        assert header["const"] == "public, max-age=3600"


def test_the_qr_code_in_the_example_can_be_scanned() -> None:
    (example,) = (each.body for each in described_answers() if "qrCode" in each.body)
    match = _PNG.fullmatch(example["qrCode"])
    assert match is not None
    image: Any = np.asarray(Image.open(io.BytesIO(base64.b64decode(match[1]))).convert("L"))
    (code,) = zxingcpp.read_barcodes(image)
    assert code.text == f"otpauth://totp/AILifestyle:ada%40example.com?secret={example['secret']}&issuer=AILifestyle"


def test_every_route_for_users_has_samples_that_call_methods_of_the_clients() -> None:
    clients = {name: (REPOSITORY / "clients" / name).read_text() for name in ("mfa.js", "mfa.py")}
    for endpoint in ENDPOINTS:
        samples = {each["label"]: each["source"] for each in code_samples(endpoint)}
        assert f'{endpoint.path}"' in samples["curl"]
        (javascript,) = re.findall(r"await mfa\.(\w+)\(", samples["JavaScript"])
        (python,) = re.findall(r"\(api\)\.(\w+)\(token", samples["Python"])
        assert re.search(rf"^  (async )?{javascript}\(", clients["mfa.js"], re.MULTILINE)
        (imported,) = (each for each in ast.parse(samples["Python"]).body if isinstance(each, ast.ImportFrom))
        names = {python, *(each.name for each in imported.names)}
        assert names <= set(re.findall(r"^ *(?:def|class) (\w+)", clients["mfa.py"], re.MULTILINE))
