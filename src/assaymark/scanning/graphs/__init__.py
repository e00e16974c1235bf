"""Models as graphs of operators, and tables of weights."""
