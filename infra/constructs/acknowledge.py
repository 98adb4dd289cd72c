"""Accepted findings of the rules that synth checks, each on its construct and with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding of one rule on one construct.

    Parameters
    ----------
    construct
        The nearest construct to the finding.
    rule
        The rule as the report prints it, including a finding in brackets.
    reason
        Why the rule does not apply here.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
