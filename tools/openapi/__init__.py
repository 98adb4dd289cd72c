"""The API's description in OpenAPI 3.1, generated from the code: ``python -m tools.openapi`` writes it.

Routes, statuses, error codes, messages, headers and schemas come from the functions' ``ROUTE`` declarations and the
gateway's responses. Only the general texts and the example values are written here.
"""
