"""What a session remembers, and which part of it is in the address."""
