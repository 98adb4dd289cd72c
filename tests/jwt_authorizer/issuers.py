"""What the common issuers sign: an access token, an ID token and their other tokens, with claims as they document them.

``docs/issuers.md`` shows the settings of each issuer; `test_issuers` holds that page to this matrix.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.tokens import NOW

type Claims = Mapping[str, Any]

_TIMES: Final = {"iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 300}
_TENANT: Final = "11111111-2222-3333-4444-555555555555"
_OBJECT_ID: Final = "8d1f6a0c-9f3b-4f0a-8a57-0d6b6f1f2c3d"
_API: Final = "https://api.ailifestyle.app/mfa"


@dataclass(frozen=True)
class SampleToken:
    """A token before it is signed; the header lacks ``alg`` and ``kid``."""

    claims: Claims
    header: Claims = field(default_factory=lambda: {"typ": "JWT"})
    with_kid: bool = True


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An issuer, the settings that connect it, and its tokens."""

    heading: str  # of its section in docs/issuers.md
    documented: str  # where the issuer documents these claims
    settings: Mapping[str, Any]  # as in a settings file, without those that stay at their defaults
    access: SampleToken  # accepted
    refused: Mapping[str, SampleToken]  # the issuer's other tokens, by name
    user_id: str  # passed on of the access token, as the label is
    label: str


def _settings(issuer: str, audience: str, jwks_url: str, *, user_claim: str = "", **others: str) -> Mapping[str, str]:
    """Return the settings that connect an issuer; a user claim other than ``sub`` has to be confirmed."""
    claim = {"jwt_user_claim": user_claim, "jwt_user_claim_confirmed": user_claim} if user_claim else {}
    return {"jwt_issuer": issuer, "jwt_audience": audience, "jwt_jwks_url": jwks_url, **claim, **others}


def _logout(issuer: str, audience: str, **changes: Any) -> SampleToken:
    """Return a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4)."""
    events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims = {"iss": issuer, "aud": audience, "sub": "user-1", "sid": "s-1", "jti": "j-9", "events": events, **_TIMES}
    return SampleToken({**claims, **changes}, {"typ": "logout+jwt"})


_COGNITO: Final = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123"
_ENTRA_V1: Final = f"https://sts.windows.net/{_TENANT}/"
_ENTRA_V2: Final = f"https://login.microsoftonline.com/{_TENANT}/v2.0"
_ENTRA_API: Final = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
_ENTRA_CLIENT: Final = "0a1b2c3d-0000-1111-2222-333344445555"
_AUTH0: Final = "https://example.eu.auth0.com/"
_OKTA: Final = "https://example.okta.com/oauth2/default"
_KEYCLOAK: Final = "https://sso.example.com/realms/shop"
_KEYCLOAK_OLD: Final = "https://sso.example.com/auth/realms/shop"
_ADFS: Final = "http://fs.example.com/adfs/services/trust"
_ADFS_API: Final = f"microsoft:identityserver:{_ENTRA_API}"
_LOGTO: Final = "https://tenant-1.logto.app/oidc"
_ZITADEL: Final = "https://example-a1b2c3.zitadel.cloud"
_HYDRA: Final = "https://hydra.example.com"

# -- claims that all tokens of an issuer share

_COGNITO_USER: Final = {
    "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "iss": _COGNITO,
    "iat": NOW - 60,
    "exp": NOW + 300,
}
_ENTRA_V1_TOKEN: Final = {"aud": f"api://{_ENTRA_API}", "iss": _ENTRA_V1, "oid": _OBJECT_ID, "ver": "1.0", **_TIMES}
_ENTRA_V1_USER: Final = {
    **_ENTRA_V1_TOKEN,
    "sub": "pairwise-subject-of-v1",
    "tid": _TENANT,
    "unique_name": "ada@example.com",
}
_ENTRA_V2_TOKEN: Final = {
    "aud": _ENTRA_API,
    "iss": _ENTRA_V2,
    "oid": _OBJECT_ID,
    "sub": "pairwise-subject-of-v2",
    **_TIMES,
}
_ENTRA_V2_USER: Final = {
    **_ENTRA_V2_TOKEN,
    "name": "Ada Lovelace",
    "preferred_username": "ada@example.com",
    "tid": _TENANT,
    "ver": "2.0",
}
_AUTH0_USER: Final = {
    "iss": _AUTH0,
    "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
    "aud": _API,
    "iat": NOW - 60,
    "exp": NOW + 300,
}
_OKTA_TOKEN: Final = {"iss": _OKTA, "aud": "api://default", "uid": "00ujmkLgagxeRrAg20g3"}
_OKTA_ID: Final = {**_OKTA_TOKEN, "sub": "00ujmkLgagxeRrAg20g3", "amr": ["pwd"], **_TIMES}
_ADFS_USER: Final = {
    "aud": _ADFS_API,
    "iss": _ADFS,
    "sub": "pairwise/subject+of=adfs=",
    "upn": "ada@example.com",
    **_TIMES,
}
_LOGTO_USER: Final = {"sub": "rkxl1ops7gs1", "iss": _LOGTO, "aud": _API, "iat": NOW - 60, "exp": NOW + 300}
_ZITADEL_TOKEN: Final = {"iss": _ZITADEL, "sub": "252855756087375358", **_TIMES}
_ZITADEL_USER: Final = {
    **_ZITADEL_TOKEN,
    "aud": ["252856053933356542@shop", "252855702316398078"],
    "client_id": "252856053933356542@shop",
}
_HYDRA_USER: Final = {"iss": _HYDRA, "sub": "ada", "aud": [_API], "jti": "4c1f", **_TIMES}
_HYDRA_ID: Final = {**_HYDRA_USER, "auth_time": NOW - 90, "rat": NOW - 95, "sid": "s-1"}


def _keycloak(issuer: str, **changes: Any) -> dict[str, Any]:
    """Return the claims that Keycloak's access, ID, refresh and offline tokens share."""
    return {
        **_TIMES,
        "nbf": 0,  # Keycloak before version 12 writes 0
        "jti": "b1b7cb2c-0c1c-4e0a-8a3b-3f9a0a0b5f5e",
        "iss": issuer,
        "sub": "f:9d1c:ada",
        "azp": "web",
        "sid": "0b2c9a3e-5d0f-4a50-b6f4-9f1ad2b0c0de",
        "acr": "1",
        "preferred_username": "ada",
        **changes,
    }


def _keycloak_tokens(issuer: str, audience: str) -> dict[str, SampleToken]:
    bound = {"aud": audience, "scope": "openid"}
    return {
        "ID token": SampleToken(_keycloak(issuer, typ="ID", aud=audience, at_hash="x1y2", nonce="n", auth_time=NOW)),
        "ID token without at_hash": SampleToken(_keycloak(issuer, typ="ID", aud=audience)),
        "refresh token": SampleToken(_keycloak(issuer, typ="Refresh", aud=[issuer, audience], scope="openid")),
        "offline token": SampleToken(_keycloak(issuer, typ="Offline", aud=[issuer, audience], scope="offline_access")),
        "logout token": _logout(issuer, audience, typ="Logout"),
        "logout token of old versions": SampleToken(_logout(issuer, audience, typ="Logout").claims),
        "access token bound by DPoP": SampleToken(_keycloak(issuer, typ="DPoP", **bound, cnf={"jkt": "0ZcOCORZNYy"})),
        "access token bound to a certificate": SampleToken(
            _keycloak(issuer, typ="Bearer", **bound, cnf={"x5t#S256": "bwcK0esc3ACC"})
        ),
    }


ISSUERS: Final = (
    Issuer(
        heading="Amazon Cognito",
        documented="https://docs.aws.amazon.com/cognito/latest/developerguide/"
        "amazon-cognito-user-pools-using-the-access-token.html",
        settings=_settings(_COGNITO, "1example23456789", f"{_COGNITO}/.well-known/jwks.json"),
        access=SampleToken(
            {
                **_COGNITO_USER,
                "version": 2,
                "client_id": "1example23456789",
                "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeef",
                "token_use": "access",
                "scope": "aws.cognito.signin.user.admin",
                "auth_time": NOW - 60,
                "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee0",
                "username": "ada",
            },
            {},
        ),
        refused={
            "ID token": SampleToken(
                {
                    **_COGNITO_USER,
                    "aud": "1example23456789",
                    "token_use": "id",
                    "cognito:username": "ada",
                    "email": "ada@example.com",
                    "at_hash": "x1y2",
                },
                {},
            ),
            "access token of another client": SampleToken(
                {**_COGNITO_USER, "client_id": "2example", "token_use": "access", "scope": "openid"}
            ),
        },
        user_id="aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        label="ada",
    ),
    Issuer(
        heading="Microsoft Entra ID, tokens of version 1.0",
        documented="https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference",
        settings=_settings(
            _ENTRA_V1,
            f"api://{_ENTRA_API}",
            f"https://login.microsoftonline.com/{_TENANT}/discovery/keys?appid={_ENTRA_API}",
            user_claim="oid",
        ),
        access=SampleToken(
            {
                **_ENTRA_V1_USER,
                "acr": "1",
                "aio": "AXQAi/8TAAAA",
                "amr": ["pwd"],
                "appid": _ENTRA_CLIENT,
                "appidacr": "0",
                "scp": "access_as_user",
                "upn": "ada@example.com",
            }
        ),
        refused={
            "ID token": SampleToken({**_ENTRA_V1_USER, "nonce": "n"}),
            "access token of an application without a user": SampleToken(
                {**_ENTRA_V1_TOKEN, "appid": _ENTRA_CLIENT, "idtyp": "app", "roles": ["Admin"], "sub": _OBJECT_ID}
            ),
        },
        user_id=_OBJECT_ID,
        label="ada@example.com",
    ),
    Issuer(
        heading="Microsoft Entra ID, tokens of version 2.0",
        documented="https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference",
        settings=_settings(
            _ENTRA_V2,
            _ENTRA_API,
            f"https://login.microsoftonline.com/{_TENANT}/discovery/v2.0/keys",
            user_claim="oid",
        ),
        access=SampleToken({**_ENTRA_V2_USER, "azp": _ENTRA_CLIENT, "azpacr": "0", "scp": "access_as_user"}),
        refused={
            "ID token": SampleToken({**_ENTRA_V2_USER, "nonce": "n"}),
            "ID token of the hybrid flow": SampleToken({**_ENTRA_V2_TOKEN, "c_hash": "x1y2", "scp": "openid"}),
        },
        user_id=_OBJECT_ID,
        label="ada@example.com",
    ),
    Issuer(
        heading="Auth0",
        documented="https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        settings=_settings(_AUTH0, _API, f"{_AUTH0}.well-known/jwks.json"),
        access=SampleToken(
            {
                **_AUTH0_USER,
                "aud": [_API, f"{_AUTH0}userinfo"],
                "azp": "my_client_id",
                "scope": "openid profile email",
            }
        ),
        refused={
            "ID token": SampleToken(
                {**_AUTH0_USER, "nickname": "ada", "email": "ada@example.com", "sid": "s-1", "nonce": "n"}
            ),
            "logout token": _logout(_AUTH0, _API),
        },
        user_id="auth0|5f7c8ec7c33c6c004bbafe82",
        label="auth0|5f7c8ec7c33c6c004bbafe82",
    ),
    Issuer(
        heading="Auth0, with the token profile of RFC 9068",
        documented="https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        settings=_settings(_AUTH0, _API, f"{_AUTH0}.well-known/jwks.json"),
        access=SampleToken(
            {**_AUTH0_USER, "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv"}, {"typ": "at+jwt"}
        ),
        refused={"refresh token": SampleToken({**_AUTH0_USER, "typ": "Refresh"})},
        user_id="auth0|5f7c8ec7c33c6c004bbafe82",
        label="auth0|5f7c8ec7c33c6c004bbafe82",
    ),
    Issuer(
        heading="Okta",
        documented="https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token",
        settings=_settings(_OKTA, "api://default", f"{_OKTA}/v1/keys", user_claim="uid", jwt_label_claims="sub"),
        access=SampleToken(
            {
                **_OKTA_TOKEN,
                "ver": 1,
                "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
                "sub": "ada@example.com",
                "iat": NOW - 60,
                "exp": NOW + 300,
                "cid": "nmdP1fcyvdVO11AL7ECm",
                "scp": ["openid", "email"],
                "auth_time": NOW - 90,
            },
            {},
        ),
        refused={
            "ID token": SampleToken(
                {
                    **_OKTA_ID,
                    "ver": 1,
                    "jti": "ID.4eAWJOCMB3SX8XewDfVR",
                    "idp": "00ok1u7AsAkrwdZL3z0g3",
                    "nonce": "n",
                    "auth_time": NOW - 90,
                    "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
                },
                {},
            ),
            "ID token without at_hash": SampleToken(_OKTA_ID, {}),
        },
        user_id="00ujmkLgagxeRrAg20g3",
        label="ada@example.com",
    ),
    Issuer(
        heading="Keycloak",
        documented="https://www.keycloak.org/docs/latest/server_admin/#_audience",
        settings=_settings(_KEYCLOAK, "mfa-api", f"{_KEYCLOAK}/protocol/openid-connect/certs"),
        access=SampleToken(
            _keycloak(_KEYCLOAK, nbf=NOW - 60, typ="Bearer", aud=["mfa-api", "account"], scope="openid email profile")
        ),
        refused=_keycloak_tokens(_KEYCLOAK, "mfa-api"),
        user_id="f:9d1c:ada",
        label="ada",
    ),
    Issuer(
        heading="Keycloak before version 17",
        documented="https://www.keycloak.org/docs/16.1/server_admin/#_audience",
        settings=_settings(_KEYCLOAK_OLD, "mfa-api", f"{_KEYCLOAK_OLD}/protocol/openid-connect/certs"),
        access=SampleToken(
            {
                **_keycloak(_KEYCLOAK_OLD, typ="Bearer", aud="mfa-api", scope="openid"),
                "session_state": "s-1",
                "nonce": "n",  # these versions copy it from the client into the access token
                "auth_time": NOW,
            }
        ),
        refused=_keycloak_tokens(_KEYCLOAK_OLD, "mfa-api"),
        user_id="f:9d1c:ada",
        label="ada",
    ),
    Issuer(
        heading="AD FS",
        documented="https://learn.microsoft.com/windows-server/identity/ad-fs/development/"
        "ad-fs-openid-connect-oauth-concepts",
        settings=_settings(_ADFS, _ADFS_API, "https://fs.example.com/adfs/discovery/keys"),
        access=SampleToken(
            {
                **_ADFS_USER,
                "apptype": "Public",
                "appid": _ENTRA_CLIENT,
                "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
                "auth_time": "2027-01-15T07:58:00.000Z",
                "unique_name": "EXAMPLE\\ada",
                "ver": "1.0",
                "scp": "openid user_impersonation",
            },
            {"typ": "JWT", "x5t": "thumbprint"},
            with_kid=False,
        ),
        refused={
            "ID token": SampleToken(
                {**_ADFS_USER, "iss": "https://fs.example.com/adfs", "unique_name": "EXAMPLE\\ada"},
                {"typ": "JWT", "x5t": "thumbprint"},
                with_kid=False,
            ),
            "ID token that names the access tokens' issuer": SampleToken(_ADFS_USER, with_kid=False),
        },
        user_id="pairwise/subject+of=adfs=",
        label="ada@example.com",
    ),
    Issuer(
        heading="Logto",
        documented="https://docs.logto.io/authorization/validate-access-tokens",
        settings=_settings(_LOGTO, _API, f"{_LOGTO}/jwks", jwt_algorithms="ES384"),
        access=SampleToken(
            {**_LOGTO_USER, "jti": "VovNyqJ5_tuYac89eTbpF", "scope": "", "client_id": "your-app-id"},
            {"typ": "at+jwt"},
        ),
        refused={
            "ID token": SampleToken({**_LOGTO_USER, "name": "Ada", "at_hash": "x1y2", "sid": "s-1"}),
            "logout token": _logout(_LOGTO, _API),
        },
        user_id="rkxl1ops7gs1",
        label="rkxl1ops7gs1",
    ),
    Issuer(
        heading="ZITADEL",
        documented="https://zitadel.com/docs/apis/openidoauth/claims",
        settings=_settings(_ZITADEL, "252855702316398078", f"{_ZITADEL}/oauth/v2/keys"),
        access=SampleToken({**_ZITADEL_USER, "jti": "V2_284372262897903968-at_284372262897969504"}),
        refused={
            "ID token": SampleToken(
                {
                    **_ZITADEL_USER,
                    "azp": "252856053933356542@shop",
                    "amr": ["pwd"],
                    "auth_time": NOW - 90,
                    "at_hash": "dw15TiOiA28aFnNVWWRJrA",
                    "sid": "V1_284372262897903968",
                }
            ),
            # Their audience has the project as well, and they name the client.
            "ID token of the implicit flow": SampleToken(
                {**_ZITADEL_USER, "azp": "252856053933356542@shop", "nonce": "n"}
            ),
            # github.com/zitadel/oidc/issues/649: nothing tells such a token from an ID token.
            "access token of versions before October 2024": SampleToken(
                {**_ZITADEL_TOKEN, "aud": ["252855702316398078"]}
            ),
        },
        user_id="252855756087375358",
        label="252855756087375358",
    ),
    Issuer(
        heading="Ory Hydra",
        documented="https://www.ory.sh/docs/oauth2-oidc/jwt-access-token",
        settings=_settings(_HYDRA, _API, f"{_HYDRA}/.well-known/jwks.json"),
        access=SampleToken({**_HYDRA_USER, "client_id": "web", "ext": {}, "scp": ["offline", "openid"]}),
        refused={
            "ID token": SampleToken({**_HYDRA_ID, "at_hash": "x1y2"}),
            "ID token without at_hash": SampleToken(_HYDRA_ID),
            "logout token": _logout(_HYDRA, _API),
        },
        user_id="ada",
        label="ada",
    ),
)
