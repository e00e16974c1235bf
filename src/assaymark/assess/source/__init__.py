"""What a team writes itself: applications, loaders, dependencies, images, pipelines, and secrets left in them."""
