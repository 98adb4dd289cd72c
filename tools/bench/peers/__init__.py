"""Other implementations of the same job, each as good as its approach allows."""
