"""What is measured: each module runs one kind of measurement over the ways to start it is given."""
