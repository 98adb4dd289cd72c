"""A client of the MFA API for Python backends: one method per route, one exception for all errors.

It needs only the standard library. Copy it into your backend:

    mfa = MfaClient("https://api.example.com/v1")
    mfa.verify(access_token, typed_code("123 456"))

It never retries. A code works once, and if its response is lost the code may have been used: let the user enter the
next one. ``mfa.js`` is the same for JavaScript.
"""

import http.client
import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

#: Longer than API Gateway's limit for a request (29 s), so that its response arrives first.
TIMEOUT_SECONDS = 30

#: Codes of errors for which there is no response from the API.
NO_RESPONSE = "NO_RESPONSE"
UNEXPECTED_RESPONSE = "UNEXPECTED_RESPONSE"


class MfaError(Exception):
    """Any result but a 200. Branch on ``code``; the message is for logs.

    Attributes
    ----------
    code : str
        The body's ``error``, or one of the two above.
    status : int
        HTTP status; 0 without a response.
    request_id : str or None
        For support.
    retry_after : int or None
        Seconds to wait; ``None`` if waiting does not help.
    """

    def __init__(
        self, code: str, *, message: str = "", status: int = 0, request_id: str | None = None, retry_after: str = ""
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after = int(retry_after) if retry_after.isdecimal() else None


def typed_code(typed: str) -> dict[str, str]:
    """Return what `verify` and `disable` take for text that a user typed: a backup code has letters, a code has none.

    The API ignores spaces and dashes, accepts both cases, and refuses anything else with ``VALIDATION_ERROR``.
    """
    return {"backupCode" if any(character.isalpha() for character in typed) else "code": typed}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the access token is for one host only."""

    def redirect_request(self, *_: object) -> None:
        return None


class MfaClient:
    """The API for all users. Every method takes the access token of the user that it acts for.

    Parameters
    ----------
    base_url : str
        URL of the API with its stage, without a slash at the end.
    """

    def __init__(self, base_url: str) -> None:
        if not base_url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError(f"expected an https:// URL, got {base_url!r}")
        self._base_url = base_url
        self._http = urllib.request.build_opener(_NoRedirects)

    def status(self, token: str) -> dict[str, Any]:
        """Return the user's status: enabled, state, enabledAt, pendingExpiresAt, lockedUntil, backupCodesRemaining."""
        return self._call("GET", "/auth/mfa", token)

    def setup(self, token: str) -> dict[str, Any]:
        """Start an enrolment: secret and qrCode. Each call replaces the pending one."""
        return self._call("POST", "/auth/mfa/setup", token)

    def verify_setup(self, token: str, code: str) -> dict[str, Any]:
        """Confirm it with a first code: enabled, backupCodes, enabledAt; the backup codes are returned only once."""
        return self._call("POST", "/auth/mfa/verify-setup", token, {"code": code})

    def verify(self, token: str, second_factor: dict[str, str]) -> dict[str, Any]:
        """Verify what `typed_code` returned: verified, method, backupCodesRemaining, perhaps warnings."""
        return self._call("POST", "/auth/mfa/verify", token, second_factor)

    def new_backup_codes(self, token: str, code: str) -> dict[str, Any]:
        """Replace the backup codes, with a code from the app: backupCodes, backupCodesRemaining."""
        return self._call("POST", "/auth/mfa/backup-codes", token, {"code": code})

    def disable(self, token: str, second_factor: dict[str, str]) -> dict[str, Any]:
        """Turn MFA off: enabled, which is false."""
        return self._call("POST", "/auth/mfa/disable", token, second_factor)

    def _call(self, method: str, path: str, token: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 -- the constructor checks the scheme
            self._base_url + path,
            method=method,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with self._http.open(request, timeout=TIMEOUT_SECONDS) as response:
                status, headers, content = response.status, response.headers, _parsed(response.read())
        except urllib.error.HTTPError as error:
            with error:
                status, headers, content = error.code, error.headers, _parsed(error.read())
        except (OSError, http.client.HTTPException) as error:
            raise MfaError(NO_RESPONSE, message=str(error)) from None
        if status == HTTPStatus.OK and content:
            return content
        raise MfaError(
            str(content.get("error", UNEXPECTED_RESPONSE)),
            message=str(content.get("message", "the response is not the API's")),
            status=status,
            request_id=content.get("request_id"),
            retry_after=headers.get("Retry-After", ""),
        )


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the object in a body, or an empty one: a proxy may respond with HTML."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
