"""Terraform: plans as JSON, and HCL as far as it can be resolved without running anything; both give resources."""
