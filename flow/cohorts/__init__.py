"""People who are followed together, before, during and after their stay."""
