"""A proof is no access token: this service's own authorizer refuses everything that the proof's key signs."""

from dataclasses import dataclass

import pytest

from functions.shared.settings import KmsKey
from functions.shared.signing import KmsSigner
from tests.support.authorizer import Authorizer, LoadAuthorizer
from tests.support.hostile_tokens import Target, forgeries, misissued
from tests.support.jwks_server import JwksServer
from tests.support.life_cycle import User
from tests.support.proofs import ISSUER as PROOF_ISSUER
from tests.support.proofs import Proofs
from tests.support.tokens import NOW, SigningKey, claims, cognito_claims, rsa_key

#: Nothing listens here, and nothing ever asks it.
NOWHERE = "http://127.0.0.1:9/jwks.json"


@dataclass(frozen=True)
class ProofKey(SigningKey):
    """The key that signs proofs: the private half is in KMS."""

    signer: KmsSigner

    def signature(self, signed: bytes) -> bytes:
        return self.signer.sign(signed)


@pytest.fixture
def proof_key(proofs: Proofs) -> ProofKey:
    signer = KmsSigner(KmsKey(proofs.keys[0]))
    return ProofKey(rsa_key("of no use").private, signer.key_id, signer)


def test_the_corpus_of_hostile_tokens_signed_by_the_proofs_key_is_refused(
    proofs: Proofs, proof_key: ProofKey, authorizer: Authorizer
) -> None:
    good = [proof_key.token(make()) for make in (claims, cognito_claims)]
    (published,) = proofs.published()["keys"]
    corpus = [
        *(token for _, token in misissued(proof_key)),
        *(token for _, token in forgeries(Target(good[0], dict(published), NOWHERE))),
        *good,
    ]
    assert len(corpus) > 500
    assert not [token for token in corpus if authorizer.allows(token)]
    assert authorizer.allows(rsa_key("rsa-1").token(claims()))


@pytest.mark.parametrize("published", [False, True], ids=["own keys", "keys of the proofs as well"])
def test_a_real_proof_is_refused_even_with_its_keys_at_the_issuers_address(
    proofs: Proofs, enrolled: User, authorizer: Authorizer, issuer: JwksServer, published: bool
) -> None:
    enrolled.now = NOW
    proof = enrolled.verify().body["proof"]
    if published:
        issuer.keys = [*issuer.keys, *proofs.published()["keys"]]
    assert not authorizer.allows(proof)


def test_the_audience_refuses_it_where_this_api_is_configured_as_its_own_issuer(
    proofs: Proofs, enrolled: User, load_authorizer: LoadAuthorizer, issuer: JwksServer
) -> None:
    enrolled.now = NOW
    proof = enrolled.verify().body["proof"]
    issuer.keys = list(proofs.published()["keys"])
    assert not load_authorizer(JWT_ISSUER=PROOF_ISSUER).allows(proof)
