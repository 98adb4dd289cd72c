"""What each function finds in its environment: what it reads, and nothing else."""

from functions.shared import contract
from functions.shared.contract import Env
from infra.config import Config
from infra.constructs.storage import Storage
from infra.constructs.token_issuer import Identity
from infra.permissions import PERMISSIONS


def endpoint_environment(function: str, config: Config, storage: Storage) -> dict[Env, str]:
    """Return the environment of a function behind a route."""
    environment = _common(config) | {
        Env.USERS_TABLE_NAME: storage.table.table_name,
        Env.CORS_ALLOWED_ORIGINS: ",".join(config.cors_allowed_origins),
    }
    if config.required_scope:
        environment[Env.MFA_REQUIRED_SCOPE] = config.required_scope
    if PERMISSIONS[function].secret_key:
        environment[Env.MFA_ENCRYPTION_KEY] = storage.secret_key_arn
    if function == contract.SETUP.function:
        environment[Env.MFA_ISSUER] = config.mfa_issuer
    return environment


def authorizer_environment(config: Config, identity: Identity) -> dict[Env, str]:
    """Return the environment of the JWT authorizer."""
    return _common(config) | {
        Env.JWT_ISSUER: identity.issuer,
        Env.JWT_AUDIENCE: ",".join(identity.audience),
        Env.JWT_JWKS_URL: identity.jwks_url,
    }


def _common(config: Config) -> dict[Env, str]:
    return {Env.ENVIRONMENT: config.environment, Env.LOG_LEVEL: config.log_level}
