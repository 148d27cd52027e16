"""Atelier: the platform."""
