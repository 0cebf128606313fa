"""4. What is wrong: functions that yield findings. Checks never write."""
