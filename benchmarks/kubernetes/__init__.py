"""On a cluster of Kubernetes."""
