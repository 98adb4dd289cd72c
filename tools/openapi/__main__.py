"""``python -m tools.openapi``: write ``docs/openapi.json``."""

from tools.openapi.document import FILE, write

write()
print(f"Wrote {FILE}.")
