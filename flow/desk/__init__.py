"""The bed manager's desk: who needs a bed, which bed, and why not that one."""
