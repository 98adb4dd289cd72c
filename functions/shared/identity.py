"""The caller, as the authorizer identified them. Claims in the request itself are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.contract import AuthorizerContext
from functions.shared.errors import InsufficientScopeError, UnauthorizedError


@dataclass(frozen=True)
class AccessToken:
    """The claims of the caller's access token that a proof repeats.

    Attributes
    ----------
    subject : str
        Its ``sub``, even if another claim identifies the user here.
    expires_at : int
        Its ``exp`` in epoch seconds.
    client_id : str or None
        Its ``client_id``.
    session_id : str or None
        Its ``sid``, else Cognito's ``origin_jti``.
    """

    subject: str
    expires_at: int
    client_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True)
class Identity:
    """An authenticated user.

    Attributes
    ----------
    user_id : str
        The token's ``sub``: the key of everything stored.
    label : str
        A name that people recognise (e-mail address or user name); shown in the authenticator app, never logged.
    scopes : frozenset of str
        The scopes of the access token.
    access_token : AccessToken or None
        The rest of the token; None if it has no ``sub``.
    """

    user_id: str
    label: str
    scopes: frozenset[str] = frozenset()
    access_token: AccessToken | None = None

    def require_access_token(self) -> AccessToken:
        """Return the access token that a proof is for.

        Raises
        ------
        UnauthorizedError
            It has no ``sub``, so that no proof could name its user.
        """
        if self.access_token is None:
            raise UnauthorizedError
        return self.access_token

    def require_scope(self, scope: str | None) -> None:
        """Raise `InsufficientScopeError` unless the token carries ``scope``; None requires nothing."""
        if scope is not None and scope not in self.scopes:
            raise InsufficientScopeError(scope)


def identity_from_event(event: Mapping[str, Any]) -> Identity:
    """Return the caller that the authorizer put into an API Gateway proxy event.

    Raises
    ------
    UnauthorizedError
        The authorizer's context is missing: the function was not called through its API.
    """
    request_context = event.get("requestContext")
    context = request_context.get("authorizer") if isinstance(request_context, Mapping) else None
    if not isinstance(context, Mapping):
        raise UnauthorizedError
    user_id = context.get(AuthorizerContext.USER_ID)
    if not isinstance(user_id, str) or not user_id:
        raise UnauthorizedError
    return Identity(
        user_id=user_id,
        label=str(context.get(AuthorizerContext.LABEL) or user_id),
        scopes=frozenset(str(context.get(AuthorizerContext.SCOPE) or "").split()),
        access_token=_access_token(context),
    )


def _access_token(context: Mapping[str, Any]) -> AccessToken | None:
    subject, expires_at = context.get(AuthorizerContext.SUBJECT), str(context.get(AuthorizerContext.EXPIRES_AT))
    if not subject or not expires_at.isdecimal():
        return None
    return AccessToken(
        subject=str(subject),
        expires_at=int(expires_at),
        client_id=context.get(AuthorizerContext.CLIENT_ID),
        session_id=context.get(AuthorizerContext.SESSION_ID),
    )
