"""Builds the documentation site from ``docs/`` with MkDocs, and generates the diagrams in the pages."""
