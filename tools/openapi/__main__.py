"""``python -m tools.openapi``: write ``docs/openapi.json``."""

from tools.openapi.document import FILE, text

FILE.write_text(text())
print(f"Wrote {FILE}.")
