"""The demo in a real browser. Needs Debian's chromium and the package playwright."""
