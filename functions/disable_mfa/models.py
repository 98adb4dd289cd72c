"""What the route returns."""

from dataclasses import dataclass
from typing import Literal

from functions.shared.response_body import ResponseBody


@dataclass(frozen=True)
class DisableResponse(ResponseBody):
    """Body of the 200 response."""

    description = "The second factor is off."

    enabled: Literal[False]
