"""The example tokens of the standards: none is a token for this API, whichever key signed it.

They are what a scanner tries first, and they show that the corpus of our own making is not judged by our own signing.
"""

import jwt
import pytest

from functions.jwt_authorizer.errors import TokenRejectedError
from functions.jwt_authorizer.keys import SigningKeys
from functions.jwt_authorizer.service import TokenVerifier
from functions.shared.contract import DEFAULT_JWT_ALGORITHMS
from functions.shared.settings import AuthorizerSettings

#: The claims that the examples of RFC 7515 share: ``{"iss":"joe","exp":1300819380,...}``.
PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#: Before that ``exp``.
THEN = 1_300_819_000

#: RFC 7515 appendix A.2 and A.3.
RSA_KEY = {
    "kty": "RSA",
    "e": "AQAB",
    "n": (
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
        "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"
        "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
        "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    ),
}
EC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
RS256 = (
    f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"
    "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB"
    "_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq"
    "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
ES256 = (
    f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
OTHERS = {
    "RFC 7515 A.1, HS256": f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "RFC 7515 A.5 and RFC 7519 6.1, unsecured": f"eyJhbGciOiJub25lIn0.{PAYLOAD}.",
    "RFC 7516 A.1, JWE": (
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckC"
        "L9kiMT03JGeipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da1"
        "4B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0"
        "je81860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48V1_ALb6U"
        "S04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.XFBoMYUZ"
        "odetZdvTiFvSkQ"
    ),
}
ALL = {"RFC 7515 A.2, RS256": RS256, "RFC 7515 A.3, ES256": ES256, **OTHERS}


class Published:
    """The keys of the examples, as if our issuer had published them."""

    def fetch(self) -> object:
        return {"keys": [{**RSA_KEY, "kid": "A.2", "alg": "RS256"}, {**EC_KEY, "kid": "A.3", "alg": "ES256"}]}


@pytest.mark.parametrize("token", ALL.values(), ids=ALL)
@pytest.mark.parametrize("issuer", ["joe", "https://issuer.example"])
def test_is_rejected(token: str, issuer: str) -> None:
    keys = SigningKeys(
        Published(), algorithms=DEFAULT_JWT_ALGORITHMS, on_fetch_failure=lambda error: pytest.fail(str(error))
    )
    settings = AuthorizerSettings("dev", "INFO", issuer=issuer, audience=("joe",), jwks_url="")
    verifier = TokenVerifier(settings, keys=keys, clock=lambda: THEN)
    with pytest.raises(TokenRejectedError):
        verifier.verify(token)


@pytest.mark.parametrize(("token", "key"), [(RS256, RSA_KEY), (ES256, EC_KEY)], ids=["RS256", "ES256"])
def test_the_signatures_are_good(token: str, key: dict[str, str]) -> None:
    algorithm = jwt.get_unverified_header(token)["alg"]
    signed = jwt.decode(
        token, jwt.PyJWK({**key, "alg": algorithm}), algorithms=[algorithm], options={"verify_exp": False}
    )
    assert signed == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
