"""Kustomize without its program: objects that kustomizations take in and change, each value with its line."""
