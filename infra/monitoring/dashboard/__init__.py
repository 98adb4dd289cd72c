"""The operators' dashboards."""
