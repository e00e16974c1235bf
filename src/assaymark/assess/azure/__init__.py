"""Azure and Entra ID: their estate collected, decided and drawn."""
