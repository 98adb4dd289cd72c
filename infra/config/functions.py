"""Settings of single functions, where they differ from those of the environment."""

from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from infra.config.fields import ConfigError, Settings

#: Lambda's limits, in MiB.
Memory = Annotated[int, Field(ge=128, le=10240)]

type Handler = Callable[[object], FunctionConfig]


class FunctionConfig(Settings):
    """The settings of one function. A setting that is not set has the environment's value."""

    memory_mb: Memory | None = None
    """Memory in MiB. Not set: ``memory_mb`` of the environment."""
    snap_start: bool | None = None
    """Whether it starts from a snapshot. Not set: ``snap_start`` of the environment."""


class FunctionsConfig(Settings):
    """The settings of each function, by its folder under ``functions``; see docs/adr/0074."""

    prefix: ClassVar[str] = "functions."

    # A user needs three of the routes about once in several years. A snapshot helps less where invocations are rare,
    # and its cache costs the same. https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
    setup_mfa: FunctionConfig = FunctionConfig()
    verify_mfa_setup: FunctionConfig = FunctionConfig(snap_start=False)
    verify_mfa: FunctionConfig = FunctionConfig()
    disable_mfa: FunctionConfig = FunctionConfig(snap_start=False)
    regenerate_backup_codes: FunctionConfig = FunctionConfig(snap_start=False)
    # One read, no cryptography.
    mfa_status: FunctionConfig = FunctionConfig(memory_mb=256)
    # It makes no AWS call and holds 35 MiB: one signature check takes a millisecond at this size.
    jwt_authorizer: FunctionConfig = FunctionConfig(memory_mb=256)
    # It is not in the path of a request.
    security_events: FunctionConfig = FunctionConfig(memory_mb=256, snap_start=False)

    # It is called rarely: verifiers cache its response for an hour.
    signing_keys: FunctionConfig = FunctionConfig(memory_mb=256)

    @field_validator("*", mode="wrap")
    @classmethod
    def _refuse_with_the_functions_name(cls, value: object, handler: Handler, info: ValidationInfo) -> FunctionConfig:
        try:
            return handler(value)
        except ConfigError as error:
            raise ConfigError(f"{cls.prefix}{info.field_name}.{error}") from None
