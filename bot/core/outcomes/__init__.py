"""What became of requests of real customers, as their services tell it: counted by minute, never kept one by one."""
