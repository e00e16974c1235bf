"""Google Cloud: its estate collected, decided and drawn."""
