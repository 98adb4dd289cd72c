"""Cognito user pools: which user names AWS refuses."""

from typing import Any, Final

from ministack.core.responses import error_response_json
from ministack.services import cognito

#: The attributes that may be aliases and have a format, with the words and the pattern of that format.
_ALIASES: Final = {
    "email": ("email", cognito._USERNAME_EMAIL_RE),
    "phone_number": ("phone number", cognito._USERNAME_PHONE_RE),
}


def user_names_unlike_aliases() -> None:
    """Refuse a user name in the format of an alias of its pool, when a user is created or signs up.

    MiniStack accepts it.
    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html, "Sign in with a
    user name and alias"
    """
    refuse = cognito._new_user_error

    def refuse_alias(pool: dict[str, Any], user_name: str, attributes: dict[str, str]) -> Any:
        for alias in pool.get("AliasAttributes") or []:
            words, pattern = _ALIASES.get(alias, ("", None))
            if pattern is not None and pattern.fullmatch(user_name):
                message = f"Username cannot be of {words} format, since user pool is configured for {words} alias."
                return error_response_json("InvalidParameterException", message, 400)
        return refuse(pool, user_name, attributes)

    cognito._new_user_error = refuse_alias


GAPS: Final = (user_names_unlike_aliases,)
