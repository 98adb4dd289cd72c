"""The Lambda functions of the MFA service, one folder each; ``shared`` holds what two of them need."""
