"""Amazon Web Services: policies, their evaluation, the estate of accounts, and what leads from whom to what."""
