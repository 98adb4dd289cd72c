"""A picture of the dashboard before anyone deploys it: the real body, with the metrics of a local run."""
