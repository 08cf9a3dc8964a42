"""Each network and part, described once over `ops`; the backends are its implementations."""
