"""Lambda REQUEST authorizer: who may call the API, decided from the bearer token alone."""
