"""One file per group of pages; handlers read the request, call one action and answer."""
