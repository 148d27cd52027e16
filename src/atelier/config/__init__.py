"""Settings, routes and entry points: the top layer, and the only reader of the environment."""
