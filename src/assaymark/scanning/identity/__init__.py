"""Which models a tree holds, by content: for the inventory."""
