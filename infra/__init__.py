"""The CDK app: the deployed resources, their permissions, and the packages of the functions."""
