"""View models: frozen values that the templates print, read from the store page by page."""
