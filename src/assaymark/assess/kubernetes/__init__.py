"""Kubernetes: the objects of a cluster, who may do what in it, what reaches what, and what leads out of it."""
