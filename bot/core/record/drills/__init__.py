"""What makes an incident a drill, and what happens to one."""
