"""The documentation as a site: built from ``docs/`` by MkDocs, with what plain Markdown cannot say added here."""
