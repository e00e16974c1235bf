"""HCL 2, native syntax: Terraform's language as a syntax tree. ``parse`` reads, nothing evaluates here."""
