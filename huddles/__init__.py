"""What we agree to do: escalation, huddles, actions and wall screens."""
