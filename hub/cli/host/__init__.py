"""What `./paillasse` does on the machine itself, with the standard library alone: it must run before anything is installed."""
