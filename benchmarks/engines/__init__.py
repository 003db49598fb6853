"""The ways to start a server that are compared: raw, vanilla (and its variant stock), paillasse."""
