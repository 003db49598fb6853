"""Signing in, inside the Hub process: one authenticator, one provider per way in, and the Hub's pages."""
