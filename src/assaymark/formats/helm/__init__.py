"""Charts of Helm: Go's text templates, the functions that Helm gives them, and what a chart comes to."""
