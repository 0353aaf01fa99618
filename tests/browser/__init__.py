"""The demo in a real browser. Needs Debian's chromium-headless-shell and the package playwright."""
