"""The worker's decisions and its patience."""
