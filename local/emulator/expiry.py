"""DynamoDB's time to live: expired items remain for a while."""

from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb


class _Unswept(AccountRegionScopedDict):  # type: ignore[misc] # MiniStack has no types
    """Settings that can be read, but that the deletion of expired items does not see."""

    __slots__ = ()

    def all_items(self) -> list[Any]:
        return []


def expired_items_stay() -> None:
    """Keep expired items, as AWS does for hours or days.

    MiniStack deletes them within a minute, sometimes before the request that should see the expired item, and without a
    record in the table's stream.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
    """
    dynamodb._ttl_settings = _Unswept()


GAPS: Final = (expired_items_stay,)
