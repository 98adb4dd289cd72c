"""The same job done in other ways, each as well as its way allows."""
