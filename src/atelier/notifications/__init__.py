"""Telling people what happened to what is theirs."""
