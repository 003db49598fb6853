"""What several test rooms share: a platform brought up for the run, and people who use it over HTTP."""
