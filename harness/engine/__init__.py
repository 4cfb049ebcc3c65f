"""Executes runs: workers that do jobs, pools of them, and the phases of a run."""
