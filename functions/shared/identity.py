"""The caller, as the authorizer identified them. Nothing that the request itself claims counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.contract import AuthorizerContext
from functions.shared.errors import InsufficientScopeError, UnauthorizedError


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
    """

    user_id: str
    label: str
    scopes: frozenset[str] = frozenset()

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
    )
