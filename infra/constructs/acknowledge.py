"""Exceptions from the rules that synth checks, each on the construct it is about and with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding of one rule on one construct.

    Parameters
    ----------
    construct
        The nearest construct to the finding.
    rule
        As the report prints it, with the finding in brackets where it has one.
    reason
        Why it does not apply here.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
