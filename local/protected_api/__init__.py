"""A small API that accepts only the proof of a second factor, behind API Gateway's own JWT authorizer.

It shows what `docs/proof.md` describes. It is not part of the service and is never deployed to AWS.
"""
