"""Where decisions bite: the launcher, and what enforcement points share."""
