"""Floor 3: the only package that writes: files made durable, content-addressed blobs, the log, intake of models."""
