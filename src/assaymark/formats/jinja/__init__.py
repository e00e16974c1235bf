"""Strict reader of Jinja templates: text in, a syntax tree or ``InputError`` out. Nothing is rendered."""
