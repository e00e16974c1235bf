"""Floor 2: what is believed, and why. Root chain, signatures, entries, dossiers; pure."""
