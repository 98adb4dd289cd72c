"""DynamoDB's time to live: what has expired is still there for a while."""

from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb


class _Unswept(AccountRegionScopedDict):  # type: ignore[misc] # MiniStack has no types
    """Settings that are remembered and told, and that nobody goes through to delete by."""

    __slots__ = ()

    def all_items(self) -> list[Any]:
        return []


def expired_items_stay() -> None:
    """Keep expired items, as AWS does for hours or days.

    MiniStack deletes them at the next full minute of its life: now and then between an expiry and the request that
    is to be told of it. And it does so without a record in the table's stream.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
    """
    dynamodb._ttl_settings = _Unswept()


GAPS: Final = (expired_items_stay,)
