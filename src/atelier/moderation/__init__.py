"""Reports, what staff decide about them, and what the people concerned are told."""
