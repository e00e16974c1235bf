"""A program run so that what it used is known: started, observed, and its surroundings read."""
