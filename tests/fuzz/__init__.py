"""Any input at every entry: never a 500, never words that were not meant for a person."""
