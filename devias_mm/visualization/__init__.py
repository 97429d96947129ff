"""Pictures of what a model sees: masks, slots and augmented clips."""
