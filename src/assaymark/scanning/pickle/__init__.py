"""Pickle streams: what they would do, judged by default deny over tables of permits."""
