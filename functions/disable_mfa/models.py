"""What the route answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class DisableResponse(BaseModel):
    """Body of the 200 answer: nothing is left to turn off."""

    model_config = ConfigDict(frozen=True)

    enabled: Literal[False] = False
