"""AWS's prices, each written once: us-east-1, on demand, US dollars, without free tiers.

The sources are the services' pricing pages: https://aws.amazon.com/api-gateway/pricing/, and the same for ``lambda``,
``kms``, ``dynamodb`` (on demand), ``cloudwatch``, ``waf`` and ``eventbridge``.
"""

from typing import Final

#: When the prices were read.
AS_OF: Final = "22 November 2026"

API_REQUEST: Final = 3.50e-6
#: Above 333 million requests a month.
API_REQUEST_ABOVE: Final = 2.80e-6
API_REQUESTS_OF_FIRST_PRICE: Final = 333e6

LAMBDA_REQUEST: Final = 0.20e-6
#: On Graviton (arm64).
LAMBDA_GB_SECOND: Final = 0.0000133334
SNAPSHOT_GB_SECOND: Final = 0.0000015046
SNAPSHOT_RESTORE_GB: Final = 0.0001397998

KMS_KEY_MONTH: Final = 1.00
KMS_CALL: Final = 3e-6

DYNAMODB_WRITE_UNIT: Final = 0.625e-6
DYNAMODB_READ_UNIT: Final = 0.125e-6
DYNAMODB_BACKUP_GB_MONTH: Final = 0.20

LOGS_GB: Final = 0.50
#: Scanning for secrets, by the log groups' data protection policies.
LOGS_PROTECTED_GB: Final = 0.12
LOGS_STORED_GB_MONTH: Final = 0.03
METRIC_MONTH: Final = 0.30
#: Of each metric that an alarm reads.
ALARM_METRIC_MONTH: Final = 0.10
DASHBOARD_MONTH: Final = 3.00
COMPOSITE_ALARM_MONTH: Final = 0.50

WAF_ACL_MONTH: Final = 5.00
WAF_RULE_MONTH: Final = 1.00
WAF_REQUEST: Final = 0.60e-6

EVENT: Final = 1e-6
