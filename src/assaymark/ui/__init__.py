"""Floor 5: the faces. The only place that prints, reads the clock and knows exit codes."""
