"""The functions' log in tests."""

import logging

from functions.shared.contract import METRICS_SERVICE


def forget_logger() -> None:
    """Forget Powertools' logger: it is kept for the process, and writes to the standard output of its start."""
    logging.Logger.manager.loggerDict.pop(METRICS_SERVICE, None)
