"""The Lambda functions of the MFA service, one folder each; ``shared`` holds the code that several of them use."""
