"""Checkpoints: reading, checking, converting, and the learning rates of their layers.

Nothing is imported here, so that command lines can show the layouts without torch.
"""
