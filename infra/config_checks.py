"""Settings that are fine one by one but not together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.settings import ConfigError

if TYPE_CHECKING:
    from infra.config import Config


def check(config: "Config", *, deployed: bool) -> None:
    """Refuse settings that exclude each other, or of which one is nothing without another.

    Parameters
    ----------
    config
        The settings, each as its own kind expects.
    deployed
        The environment is one on AWS, not on the emulator.

    Raises
    ------
    ConfigError
        The first of them that is found.
    """
    for problem in _problems(config, deployed=deployed):
        raise ConfigError(problem)


def _problems(config: "Config", *, deployed: bool) -> Iterator[str]:
    yield from _issuer(config)
    yield from _existing_data(config)
    yield from _regions(config)
    yield from _domain(config)
    if deployed:
        yield from _deployed(config)
    elif config.packaging != "zip":
        yield f"packaging: expected zip in {config.environment}, got {config.packaging!r}"


def _issuer(config: "Config") -> Iterator[str]:
    companions = {"jwt_jwks_url": "the issuer's jwks_uri", "jwt_audience": "at least one audience"}
    for name, expected in companions.items():
        if config.jwt_issuer and not getattr(config, name):
            yield f"{name}: expected {expected}, as jwt_issuer is set"
        if not config.jwt_issuer and getattr(config, name):
            yield f"{name}: expected nothing, as jwt_issuer is not set"


def _existing_data(config: "Config") -> Iterator[str]:
    for name in ("users_table_key_arn", "users_table_stream_arn"):
        if getattr(config, name) and not config.users_table_name:
            yield f"{name}: expected nothing, as users_table_name is not set"
    stream = config.users_table_stream_arn
    if stream and f":table/{config.users_table_name}/stream/" not in stream:
        yield f"users_table_stream_arn: expected a stream of the table {config.users_table_name}, got {stream!r}"
    if config.secret_key_arn and config.multi_region_key:
        yield "multi_region_key: expected false, as secret_key_arn names a key that is one already or never will be"


def _regions(config: "Config") -> Iterator[str]:
    for name in ("users_table_key_arn", "users_table_stream_arn", "secret_key_arn", "certificate_arn"):
        resource = getattr(config, name)
        if resource and resource.split(":")[3] != config.region:
            yield f"{name}: expected an ARN of region {config.region}, got {resource!r}"
        if resource and config.account and resource.split(":")[4] != config.account and name != "secret_key_arn":
            yield f"{name}: expected an ARN of account {config.account}, got {resource!r}"
    replicas = config.replica_regions
    if config.region in replicas:
        yield f"replica_regions: expected regions other than {config.region}, which has the original"
    if len(set(replicas)) < len(replicas):
        yield f"replica_regions: expected each region once, got {','.join(replicas)!r}"
    for name in ("users_table_name", "secret_key_arn"):
        if replicas and getattr(config, name):
            yield f"replica_regions: expected none, as {name} is set: who made it replicates it"


def _domain(config: "Config") -> Iterator[str]:
    for name in ("certificate_arn", "hosted_zone_id", "hosted_zone_name"):
        if getattr(config, name) and not config.domain_name:
            yield f"{name}: expected nothing, as domain_name is not set"
    for name, other in (("hosted_zone_id", "hosted_zone_name"), ("hosted_zone_name", "hosted_zone_id")):
        if getattr(config, name) and not getattr(config, other):
            yield f"{other}: expected the zone's, as {name} is set"
    zone = config.hosted_zone_name
    if config.domain_name and zone and not f".{config.domain_name}".endswith(f".{zone}"):
        yield f"domain_name: expected a name in the zone {zone}, got {config.domain_name!r}"
    if config.domain_name and not (config.certificate_arn or zone):
        yield "certificate_arn: expected a certificate for domain_name, or a hosted zone to have one made"


def _deployed(config: "Config") -> Iterator[str]:
    for name in ("jwt_issuer", "jwt_jwks_url"):
        value = getattr(config, name)
        if value and not value.startswith("https://"):
            yield f"{name}: expected an https:// URL in {config.environment}, got {value!r}"
    if config.cognito_jwks_base_url:
        yield f"cognito_jwks_base_url: expected nothing in {config.environment}, it is for local alone"
