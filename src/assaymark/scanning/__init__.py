"""Floor 2: examiners of model files, over ``formats``. They never execute what they read."""
