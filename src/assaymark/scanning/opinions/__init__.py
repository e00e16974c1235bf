"""Second scanners: what is asked of each, and how its report is read. Bytes in, a reading out; nothing runs here."""
