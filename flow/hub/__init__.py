"""The discharge hub: everybody who could leave, and what they wait for."""
