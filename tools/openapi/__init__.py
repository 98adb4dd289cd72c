"""The API's description in OpenAPI 3.1, made of the code that answers: ``python -m tools.openapi`` writes it.

Routes, statuses, error codes, messages, headers and schemas are read from the functions' handlers, models and errors
and from the gateway's answers. Only what no code says is written here: the words around them, and example values.
"""
