"""Widgets of single lessons: move one thing, see and hear what it does."""
