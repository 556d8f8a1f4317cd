"""The recipe of the ready-made reader, in parts: data, made digits and non-digits, the network, its training."""
