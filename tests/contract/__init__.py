"""One suite for each seam; every implementation, and the fake for the other side, passes the same one."""
