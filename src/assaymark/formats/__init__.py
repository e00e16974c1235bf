"""Floor 1: strict readers. Views in, typed structure or ``InputError`` out; the only parsers of model files."""
