"""What `./paillasse` does on the machine itself.

Standard library alone: it must run before anything is installed.
"""
