"""What the files say, typed: one module for each platform. Nothing here knows who reads them or who asks them."""
