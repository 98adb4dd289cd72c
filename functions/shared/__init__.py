"""What two or more functions need. Nothing here imports a function."""
