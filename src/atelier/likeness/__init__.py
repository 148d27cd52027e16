"""Whether a real person's likeness may be used: the only judge, its facts and its record."""
