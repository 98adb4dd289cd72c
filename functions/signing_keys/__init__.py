"""``GET /.well-known/…``: the issuer of the proofs and its public keys, where JWT libraries look for them."""
