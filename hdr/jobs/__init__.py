"""Worker processes for trainings and searches: scheduling, quotas, limits and clean-up."""
