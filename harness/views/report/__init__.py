"""A report as one file: its data as JSON, and the page that shows it."""
