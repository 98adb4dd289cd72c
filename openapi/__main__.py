"""``python -m openapi``: write ``docs/openapi.json``."""

from openapi.document import FILE, write

write()
print(f"Wrote {FILE}.")
