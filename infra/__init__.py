"""The CDK app's parts: what is deployed, with which permissions, and how the functions are packaged."""
