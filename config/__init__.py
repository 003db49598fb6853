"""The wiring: settings read once from the machine, then traitlets."""
