"""Lambda REQUEST authorizer: decide from the bearer token who may call the API."""
