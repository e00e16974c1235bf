"""Floor 2: what is believed, and why: the trust root and its chain, signatures, log entries, dossiers. Pure."""
