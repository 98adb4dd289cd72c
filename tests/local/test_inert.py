"""``docs/local.md`` lists exactly the resources that are accepted but not emulated."""

from local.emulator.inert import INERT
from tests.docs.pages import rows, section


def test_the_page_lists_every_inert_resource() -> None:
    assert rows(section("local.md", "What is not emulated")) == [[inert.what, inert.instead] for inert in INERT]
