"""Runs the cells of a plan: killable host processes, a pool of them, and waves of work."""
